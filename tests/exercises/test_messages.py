"""What a student reads when something is wrong: one clear sentence, never frames of the library."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout, suppress

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from lstmkit.exercises import EXERCISES, CheckFailed, check

from .answers import copied, from_source
from .sources import ASSIGNMENTS, namespace

ALL = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)


def failure(exercise, *answers, seed=None) -> str:
    with pytest.raises(CheckFailed) as caught, redirect_stdout(io.StringIO()):
        check(exercise.name, *answers, seed=seed)
    text = str(caught.value)
    assert "Traceback" not in text
    assert "lstmkit/" not in text
    return text


def changed(exercise, change):
    """A right answer whose result goes through ``change``, arrays one by one."""
    right = copied(exercise.right[0])

    def answer(*args):
        result = right(*args)
        return tuple(map(change, result)) if type(result) in (tuple, list) else change(result)

    return answer


@ALL
def test_an_untouched_cell(exercise):
    source = "def answer(*args):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
    assert "still untouched" in failure(exercise, from_source(source, "answer"))


@ALL
def test_an_exception_shows_the_students_line(exercise):
    import linecache

    source = "def answer(*args):\n    wanted = {}\n    return wanted['nothing here']\n"
    linecache.cache["<notebook>"] = (len(source), None, source.splitlines(True), "<notebook>")
    text = failure(exercise, from_source(source, "answer"))
    assert "raised KeyError: 'nothing here'" in text
    assert "line 3: return wanted['nothing here']" in text


@ALL
def test_none(exercise):
    assert "is None. Does the function end with a return?" in failure(exercise, lambda *a: None)


@ALL
def test_a_wrong_shape_is_named(exercise):
    text = failure(exercise, changed(exercise, lambda a: np.asarray(a)[..., None]))
    assert "has shape (" in text
    assert "expected (" in text


@ALL
def test_an_empty_array_does_not_pass(exercise):
    assert "shape" in failure(exercise, changed(exercise, lambda a: np.empty((0, 6, 5))))


@ALL
@pytest.mark.parametrize("dtype", [np.int64, bool, complex, object])
def test_a_wrong_dtype_is_named(exercise, dtype):
    text = failure(exercise, changed(exercise, lambda a: np.asarray(a).astype(dtype)))
    if dtype is np.int64 and exercise.name in ("01.latch_weights", "06.reset_weights"):
        return  # weights set by hand may be whole numbers; these are wrong by their values
    assert f"has dtype {np.dtype(dtype)}; expected float" in text


@ALL
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_placed(exercise, bad):
    def spoil(a):
        a = np.array(a, dtype=float)
        a[(0,) * a.ndim] = bad
        return a

    text = failure(exercise, changed(exercise, spoil))
    assert f"holds {bad} at [0" in text
    assert "every number must be finite" in text


@ALL
def test_a_list_and_a_string(exercise):
    assert "array" in failure(exercise, changed(exercise, lambda a: np.asarray(a).tolist()))
    assert "str" in failure(exercise, changed(exercise, lambda a: "0.5"))


@ALL
def test_the_right_answer_with_a_little_noise_fails(exercise):
    rng = np.random.default_rng(0)
    noisy = changed(exercise, lambda a: np.asarray(a) * (1 + 0.02 * rng.standard_normal(a.shape)))
    assert failure(exercise, noisy, seed=4)


@ALL
def test_an_answer_that_is_no_function(exercise):
    assert "A function is expected" in failure(exercise, np.zeros(3))
    assert f"{exercise.name} asks for {exercise.asks[0]}" in failure(exercise)


@ALL
def test_returning_an_argument_or_zeros_gets_nothing(exercise):
    def first_argument(*args):
        return args[0]

    assert failure(exercise, first_argument)
    assert failure(exercise, changed(exercise, np.zeros_like))


@ALL
def test_the_visible_inputs_alone_do_not_pass_the_hidden_check(exercise):
    """Answers learned by heart from the public inputs fail on fresh ones."""
    right, seen = copied(exercise.right[0]), []

    def same_numbers(a, b):
        a, b = np.asarray(a), np.asarray(b)
        return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")

    def spy(*args):
        seen.append((args, right(*args)))
        return seen[-1][1]

    def parrot(*args):
        for known, result in seen:
            if all(same_numbers(a, b) for a, b in zip(known, args, strict=True)):
                return result
        return seen[0][1]

    check(exercise.name, spy)
    check(exercise.name, parrot)
    failure(exercise, parrot, seed="secret")


@ALL
def test_a_float32_answer_to_float64_inputs_is_named_or_accepted(exercise):
    narrow = changed(exercise, lambda a: np.asarray(a, dtype=np.float32))
    with suppress(CheckFailed):
        check(exercise.name, narrow, seed=3)
        return
    assert "float32 where the input is float64" in failure(exercise, narrow, seed=3)


def test_whole_numbers_will_do_for_weights_set_by_hand():
    right = copied(EXERCISES["01.latch_weights"].right[0])
    check("01.latch_weights", lambda s, n: (*right(s, n)[:2], np.array([0])), seed=2)


def test_float32_biases_are_accepted_on_every_seed():
    right = copied(EXERCISES["06.starting_bias"].right[1])
    for seed in (None, *range(20)):
        check("06.starting_bias", lambda *a: [b.astype(np.float32) for b in right(*a)], seed=seed)


@pytest.mark.parametrize("leak", [1e-3, 1e-2, 1.0])
def test_a_gate_that_listens_to_h_a_little_is_caught(leak):
    right = copied(EXERCISES["06.reset_weights"].right[0])

    def leaky(keep, drop):
        W_xf, _, b_f = right(keep, drop)
        return W_xf, np.array([[leak]]), b_f

    assert "W_hf have to be 0" in failure(EXERCISES["06.reset_weights"], leaky)


def test_a_changed_argument_is_noted_and_costs_nothing(capsys):
    def in_place(x, h_prev, W_ih, W_hh, b):
        h_prev[:] = np.tanh(x @ W_ih.T + h_prev @ W_hh.T + b)
        return h_prev

    check("01.rnn_step", in_place)
    assert "note: argument 2 is changed in place" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["01.rnn_in_chunks", "01.rnn_padded"])
def test_a_fault_of_an_earlier_exercise_is_pointed_out(name):
    right = copied(EXERCISES[name].right[0])

    def answer(*args):
        args = [*args]
        args[-3 if name == "01.rnn_in_chunks" else -2] *= -0.5  # W_hh
        return right(*args)

    assert "own check" in failure(EXERCISES[name], answer)


def test_padding_that_is_nan_is_explained():
    def product(x, lengths, h0, W_ih, W_hh, b):
        h, out = h0, []
        for t, x_t in enumerate(x):
            m = (t < lengths)[:, None]
            h = m * np.tanh(x_t @ W_ih.T + h @ W_hh.T + b) + (1 - m) * h
            out.append(h)
        return np.stack(out)

    assert "0 · nan is nan" in failure(EXERCISES["01.rnn_padded"], product)


@ALL
def test_arguments_are_copies(exercise):
    right = copied(exercise.right[0])

    def vandal(*args):
        result = right(*args)
        for value in args:
            if hasattr(value, "fill"):
                value.fill(0)
        return tuple(map(np.array, result)) if type(result) in (tuple, list) else np.array(result)

    check(exercise.name, vandal, seed=9)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(KeyError, match=r"did you mean .*06\.forget_gate"):
        check("06.forget_gat", lambda: None)


def test_the_same_seed_gives_the_same_inputs_and_another_seed_others():
    def inputs(seed):
        seen = []

        def spy(*args):
            seen.append(args)
            raise ValueError("stop")

        with pytest.raises(CheckFailed):
            check("06.forget_gate", spy, seed=seed)
        return seen[0][0]

    assert np.array_equal(inputs("a"), inputs("a"))
    assert inputs("a").shape != inputs("b").shape or not np.array_equal(inputs("a"), inputs("b"))


def test_the_hidden_seed_comes_from_the_environment(monkeypatch, capsys):
    answer = copied(EXERCISES["06.remaining"].right[0])
    monkeypatch.setenv("LSTMKIT_SEED", "0123abc")
    check("06.remaining", answer, seed="hidden")
    assert "seed 0123abc" in capsys.readouterr().out
    monkeypatch.delenv("LSTMKIT_SEED")
    check("06.remaining", answer, seed="hidden")
    first = capsys.readouterr().out
    check("06.remaining", answer, seed="hidden")
    assert first != capsys.readouterr().out


def test_a_notebook_shows_the_sentence_without_frames():
    shell = InteractiveShell.instance()
    out = io.StringIO()
    with redirect_stdout(out):
        shell.run_cell(
            "from lstmkit.exercises import check\ncheck('06.bias_for', lambda n: n * 0 + 1.0)"
        )
    InteractiveShell.clear_instance()
    text = out.getvalue()
    assert "CheckFailed: half is left after the steps" in text
    assert "run.py" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_sources_pass_and_agree_with_the_register(assignment):
    names = namespace(assignment)
    for exercise in EXERCISES.values():
        if exercise.chapter == assignment:
            for seed in (None, *range(25)):
                check(exercise.name, *(names[name] for name in exercise.asks), seed=seed)


def test_exercises_need_numpy_only():
    import subprocess

    code = (
        "import sys\nfor n in ('torch', 'matplotlib', 'IPython', 'scipy'): sys.modules[n] = None\n"
        "from lstmkit.exercises import EXERCISES, check\n"
        "import numpy as np\ncheck('06.bias_for', lambda n: -np.log(2 ** (1 / n) - 1))\n"
        "print(len(EXERCISES))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == str(len(EXERCISES))
