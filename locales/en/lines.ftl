# The lines that we speak ourselves, in English.
#
# To add a line, add a message here and one with the same id to ../es/lines.ftl. Both must use the
# same variables and carry the same version; `cargo test -p locales` compares them. Then run
# `cargo xtask audio` and name the line in ../src/recordings.rs: every line has a recording, for
# when nobody can speak it. A line with variables has one of other words, `<id>-recorded`, without
# them. Raise `.version` in both files whenever the words of either change: the
# record of a call names the version that the caller heard.
#
# A line is heard, not read: short sentences, no abbreviations, no brackets, no figures.

# The first line of every call: who we are, that we are automated, that we may record.
opening =
    Thank you for calling { $company }. I am an automated assistant, and this call may be
    recorded. How can I help you?
    .version = 1

# The caller has been silent for a while.
still-there = Are you still there?
    .version = 1

# Noise has cut every longer sentence.
hear-me = Can you hear me?
    .version = 1

# A noise has cut what was being said, and nobody has said anything since. The caller may be about
# to speak, or may wait for the rest. "Yes" to this reaches the agent, which is told what was asked.
cut-short = I am sorry. Please go on, or shall I say that again?
    .version = 1

# Something takes longer than a pause in talk.
hold = One moment, please. I am checking that for you.
    .version = 1

# We cannot go on. The call ends after this line.
trouble =
    I am sorry, I am having technical trouble and have to end this call. Please call us again
    later. Goodbye.
    .version = 2

# The call ends as the caller wished.
farewell = Thank you for calling { $company }. Goodbye.
    .version = 1

# The call ends because nobody speaks.
goodbye-silence =
    I cannot hear you, so I will end this call now. Please call { $company } again when you are
    ready. Goodbye.
    .version = 1

# The name of this language, in this language.
language-name = English
    .version = 1

# Who we are, said again after the call has changed its language.
notice = I am an automated assistant, and this call may be recorded.
    .version = 1

# The caller asked for a moment, and half of it is over.
take-your-time = Take your time. I am still here.
    .version = 1

# We could not hear the caller for some seconds, and can again.
go-on = I am sorry, I could not hear you for a moment. Please go on.
    .version = 1

# The longest call is nearly reached.
one-minute = Please note that we have about one minute left on this call.
    .version = 1

# A person will take over.
transferring = I will connect you with a person now. One moment, please.
    .version = 1

# No person could be reached, and the caller is with us again.
nobody-free = I am sorry, nobody could take your call just now. I am still here to help you.
    .version = 1

# The words of recordings whose lines have blanks.

opening-recorded =
    Thank you for calling. I am an automated assistant, and this call may be recorded. How can I
    help you?
    .version = 1

farewell-recorded = Thank you for calling. Goodbye.
    .version = 1

goodbye-silence-recorded =
    I cannot hear you, so I will end this call now. Please call again when you are ready. Goodbye.
    .version = 1
