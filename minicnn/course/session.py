"""Going through a lesson: keys, questions and answers. `minicnn lesson 4` runs it.

    Session(lesson, Screen.of(sys.stdout), folder, read=input).go()
"""

from minicnn.course import bookmark, lessons, terminal
from minicnn.course.questions import printed
from minicnn.course.stepping import Stepper

KEYS = {
    "Enter": "the next cell",
    "b": "the cell before, with all variables as they were",
    "j N": "cell N",
    "v NAME": "a variable, or part of one: v y[0]; a function's code; v alone lists the names",
    "h": "a hint: where to look, then the formula, then the line with blanks (at a question)",
    "s": "the answer (at a question)",
    "q": "quit; the same command goes on here",
    "?": "these keys",
}
SLOW = 1.0  # seconds: running earlier cells again is said if it may take longer


class Leave(BaseException):
    """The reader leaves a cell, for another one or (None) for good. It passes through the lesson's
    code like Ctrl-C, and is no Exception that it might catch."""

    def __init__(self, to):
        super().__init__(to)
        self.to = to


class Session:
    """One reader in one lesson.

    Parameters
    ----------
    lesson : Lesson
    screen : Screen
    folder : Path
        Where pictures go.
    read : callable
        Called with a prompt; what was typed. EOFError is a q.
    restart : bool
        Begin anew, in place of where one stopped.
    """

    def __init__(self, lesson, screen, folder, read, restart=False):
        self.lesson, self.screen, self.folder, self.read = lesson, screen, folder, read
        self.stepper, self.mark = Stepper(lesson), bookmark.of(lesson)
        self.begins = restart or self.mark.cell in (0, self.mark.cells)
        if self.begins:
            self.mark.cell, self.mark.answers = 0, {}

    def go(self):
        """Until the lesson's end, or q."""
        say, count = self.screen.say, len(self.lesson.cells)
        say("Enter goes on, ? lists the keys.")
        if not self.begins:
            say(f"You stopped at cell {self.mark.cell + 1}; --restart begins anew.")
        where = self.mark.cell
        try:
            while where is not None and where < count:
                self.mark.cell = where
                self._keep()
                where = self._visit(where)
            if where == count:
                self.mark.cell, self.mark.done = count, True
                self._keep()
        finally:  # by Ctrl-C, too
            self._conclude(where == count)

    def _visit(self, index):
        """Show a cell; returns the next one, None to quit."""
        try:
            self._show(index)
            while True:
                key, rest = self._key(f"[{index + 1}/{len(self.lesson.cells)}] ")
                if key in ("", "n"):
                    return index + 1
                if key == "h":
                    self.screen.say("Hints are for questions; none is asked here.")
                elif not self._common(key, rest, index, index + 1):
                    self.screen.say(f"There is no key {key!r}; ? lists the keys.")
        except Leave as leave:
            return leave.to

    def _show(self, index):
        screen, cell = self.screen, self.lesson.cells[index]
        screen.begin(index, len(self.lesson.cells))
        if cell.is_text:
            screen.text(cell.content)
            return
        self._announce(index)
        screen.code(cell.content, fold=True)
        figures = self.stepper.run(index, lambda question: self._ask(question, index),
                                   screen.source)
        finish(screen, cell, figures, self.folder, index)

    # ---- keys

    def _key(self, prompt):
        """(the key, the rest) of what is typed."""
        try:
            said = self.read(prompt).strip()
        except EOFError:
            self.screen.say("")
            raise Leave(None) from None
        if said[:1] == "j" and said[1:].isdecimal():  # without a space
            return "j", said[1:]
        key, _, rest = said.partition(" ")
        return key, rest.strip()

    def _common(self, key, rest, index, state):
        """Do what a key says wherever one is; whether there is such a key.

        `state` is how many cells are to have run when a variable is shown; None for as they are.
        """
        count = len(self.lesson.cells)
        if key == "q":
            raise Leave(None)
        if key in ("b", "back"):
            if index:
                raise Leave(index - 1)
            self.screen.say("This is the first cell.")
        elif key == "j":
            if rest.isdecimal() and 1 <= int(rest) <= count:
                raise Leave(int(rest) - 1)
            self.screen.say(f"Write j and a number from 1 to {count}.")
        elif key == "v":
            self._variable(rest, state)
        elif key == "?":
            width = max(map(len, KEYS))
            self.screen.say("\n".join(f"{k:<{width}}  {words}" for k, words in KEYS.items()), None)
        return key in ("b", "back", "j", "v", "?")

    def _variable(self, name, state):
        if state is not None:
            self._announce(state)
            self.stepper.restore(state)
        if not name:
            self.screen.variables({key: value for key, value in self.stepper.names.items()
                                   if not key.startswith("__")})
            return
        try:
            value = eval(name, dict(self.stepper.names))
        except Exception as error:
            self.screen.say(f"{name}: {type(error).__name__}: {error}")
        else:
            self.screen.variable(name, value)

    def _announce(self, index):
        """Say that earlier cells run again, if that may take long."""
        missing, seconds = self.stepper.missing(index), self.stepper.seconds
        known = sum(seconds.get(k, SLOW) for k in missing)
        if known >= SLOW:
            about = f", about {known:.0f} s" if all(k in seconds for k in missing) else ""
            self.screen.say(f"The code of {len(missing)} earlier cells runs first{about}.")

    # ---- questions

    def _ask(self, question, index):
        screen, answers = self.screen, self.mark.answers
        screen.question(question)
        if question.text in answers:
            screen.answer(question)
            return
        tries, hints, shown = 0, 0, 0
        while True:
            key, rest = self._key("your answer (h hint, s show, ? keys): ")
            if key == "h":
                hints += hints < len(question.hints)
                screen.hint(hints, question)
            elif key == "s":
                shown = 1
                screen.answer(question)
                break
            elif not key:
                screen.say("Write your answer; h gives a hint, s shows the answer.")
            elif (key == "b" and question.choices
                  or not self._common(key, rest, index, None)):
                try:
                    value = question.read(f"{key} {rest}")
                except ValueError as error:
                    screen.say(f"{str(error)[0].upper()}{str(error)[1:]}.")
                    continue
                tries += 1
                right, sentence = question.judge(value)
                screen.judged(right, sentence)
                if right:
                    break
        answers[question.text] = [tries, hints, shown]
        self._keep()

    # ---- the place

    def _keep(self):
        try:
            bookmark.keep(self.lesson, self.mark)
        except (OSError, ValueError) as error:
            self.screen.say(f"The place cannot be kept: {error}")

    def _conclude(self, ended):
        mark, say = self.mark, self.screen.say
        if mark.answers:
            say(f"\n{mark.at_once} of {len(mark.answers)} questions answered by the first "
                "prediction, without a hint.")
        if not ended:
            say(f"You are at cell {mark.cell + 1} of {mark.cells}; the same command goes on here.")
            return
        number = self.lesson.number
        name = number if lessons.is_shipped(self.lesson) else self.lesson.path
        say("This was the last cell.\n"
            f"To try: minicnn lesson {name} --notebook {number:02}.ipynb, change a line, run on.")


def finish(screen, cell, figures, folder, index):
    """Save and show a cell's pictures; say that its claims hold, if it makes some."""
    for path, figure in terminal.save(figures, folder, index):
        screen.picture(path, figure)
    claims = sum(line.startswith("assert ") for line in cell.content.splitlines())
    if claims:
        screen.say(f"{claims} claim{'s' * (claims > 1)} checked: all hold.", "right")


def straight(lesson, screen, folder):
    """The whole lesson with the answers, where nobody can be asked."""
    stepper = Stepper(lesson)
    for index, cell in enumerate(lesson.cells):
        screen.begin(index, len(lesson.cells))
        if cell.is_text:
            screen.text(cell.content)
        else:
            screen.code(cell.content)
            figures = stepper.run(index, printed, screen.source)
            finish(screen, cell, figures, folder, index)
