# Las frases que decimos nosotros, en español de México y Estados Unidos, siempre de «usted».
#
# Para agregar una frase, escriba aquí un mensaje y otro con el mismo nombre en ../en/lines.ftl.
# Los dos deben usar las mismas variables y llevar la misma versión; `cargo test -p locales` los
# compara. Después ejecute `cargo xtask audio` y nombre la frase en ../src/recordings.rs: cada
# frase tiene una grabación, para cuando nadie la puede decir. Una frase con variables tiene otra sin
# ellas, `<id>-recorded`, con palabras propias. Aumente `.version` en los dos archivos cuando cambien
# las palabras de uno: el registro de la llamada dice qué versión se escuchó.
#
# Una frase se oye, no se lee: oraciones cortas, sin abreviaturas, sin paréntesis, sin cifras.

# La primera frase de cada llamada: quiénes somos, que somos automáticos, que podemos grabar.
opening =
    Gracias por llamar a { $company }. Soy un asistente automatizado y esta llamada puede ser
    grabada. ¿En qué le puedo ayudar?
    .version = 1

# La persona lleva un rato en silencio.
still-there = ¿Sigue usted en la línea?
    .version = 1

# El ruido ha cortado las frases más largas.
hear-me = ¿Me escucha?
    .version = 1

# Un ruido ha cortado lo que se decía, y nadie ha dicho nada después. Quizá la persona va a hablar, o
# espera el resto. Un "sí" llega al agente, que sabe lo que se le ha preguntado.
cut-short = Perdón. Siga, por favor, ¿o quiere que se lo repita?
    .version = 1

# Algo tarda más que una pausa normal.
hold = Un momento, por favor. Lo estoy revisando.
    .version = 1

# No podemos seguir. La llamada termina después de esta frase.
trouble =
    Lo siento, tengo un problema técnico y debo terminar esta llamada. Por favor, vuelva a
    llamarnos más tarde. Hasta luego.
    .version = 2

# La llamada termina como la persona lo quiso.
farewell = Gracias por llamar a { $company }. Hasta luego.
    .version = 1

# La llamada termina porque nadie habla.
goodbye-silence =
    No le escucho, así que voy a terminar esta llamada. Por favor, vuelva a llamar a { $company }
    cuando guste. Hasta luego.
    .version = 1

# El nombre de este idioma, en este idioma.
language-name = español
    .version = 1

# Quiénes somos, dicho otra vez cuando la llamada cambió de idioma.
notice = Soy un asistente automatizado y esta llamada puede ser grabada.
    .version = 1

# La persona pidió un momento, y ya pasó la mitad.
take-your-time = Tómese su tiempo. Aquí sigo.
    .version = 1

# No pudimos oír a la persona por unos segundos, y ahora sí.
go-on = Disculpe, no le pude escuchar por un momento. Continúe, por favor.
    .version = 1

# Ya casi se llega a la duración máxima.
one-minute = Le aviso que nos queda más o menos un minuto en esta llamada.
    .version = 1

# Una persona va a atender.
transferring = Ahora le comunico con una persona. Un momento, por favor.
    .version = 1

# Nadie pudo atender, y la persona está otra vez con nosotros.
nobody-free = Lo siento, nadie pudo tomar su llamada en este momento. Aquí sigo para ayudarle.
    .version = 1

# Las palabras de las grabaciones cuyas frases tienen variables.

opening-recorded =
    Gracias por llamar. Soy un asistente automatizado y esta llamada puede ser grabada. ¿En qué le
    puedo ayudar?
    .version = 1

farewell-recorded = Gracias por llamar. Hasta luego.
    .version = 1

goodbye-silence-recorded =
    No le escucho, así que voy a terminar esta llamada. Por favor, vuelva a llamar cuando guste.
    Hasta luego.
    .version = 1
