"""What was found to differ, and which differences are explained."""

from collections import Counter


class Differences:
    """Differences, each told once with how often it was seen."""

    def __init__(self):
        self.found, self.explained, self.checked = Counter(), Counter(), Counter()

    def check(self, what):
        """One more thing of this kind was looked at."""
        self.checked[what] += 1

    def note(self, where, what, known=()):
        """A difference; explained if a pair in `known` says why it is none of ours."""
        line = f"{where}: {what}"
        reason = next((reason for text, reason in known if text == line), None)
        if reason is None:
            self.found[line] += 1
        else:
            self.explained[f"{line}\n             because {reason}"] += 1

    def report(self, known=()):
        """Prints all; whether nothing was found that is not explained."""
        for what, count in sorted(self.checked.items()):
            print(f"{count:7}  {what}")
        for line, count in sorted(self.explained.items()):
            print(f"explained {count}x  {line}")
        seen = [line.split("\n")[0] for line in self.explained]
        for text, _ in known:
            if text not in seen:
                self.found[f"{text}: explained, and not seen any more"] += 1
        for line, count in sorted(self.found.items()):
            print(f"DIFFERS {count}x  {line}")
        return not self.found
