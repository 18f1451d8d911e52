# The lines that we speak ourselves, in English.
#
# To add a line, add a message here and one with the same id to ../es/lines.ftl. Both must use the
# same variables and carry the same version; `cargo test -p locales` compares them. Nothing else
# has to be registered. Raise `.version` in both files whenever the words of either change: the
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

# Something takes longer than a pause in talk.
hold = One moment, please. I am checking that for you.
    .version = 1

# We cannot go on. The call ends after this line.
trouble =
    I am sorry, I am having technical trouble and have to end this call. Nothing on your account
    was changed. Please call us again later. Goodbye.
    .version = 1

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
