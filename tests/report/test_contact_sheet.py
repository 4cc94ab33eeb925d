import numpy as np
import pytest

from minicnn.images import resize
from minicnn.report.colour_bar import ColourBar, strip
from minicnn.report.contact_sheet import caption, contact_sheet, roomy, stacked


def patches(count, height=20, width=30):
    values = np.linspace(10, 240, count).astype(np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, height, width, 3))


def find(sheet, value):
    """The rows and columns of the sheet that hold the grey `value`: top, bottom, left, right."""
    y, x = np.nonzero((sheet == value).all(axis=-1))
    return y.min(), y.max() + 1, x.min(), x.max() + 1


@pytest.mark.parametrize("count, columns", [(1, 1), (2, 2), (4, 2), (5, 3), (9, 3), (10, 4)])
def test_default_is_near_square(count, columns):
    sheet = contact_sheet(patches(count), gap=0)
    rows = -(-count // columns)
    assert sheet.shape == (16 + 20 * rows, 16 + 30 * columns, 3)
    assert sheet.dtype == np.uint8


def test_pictures_are_copied_exactly_and_in_order():
    pictures = np.random.default_rng(0).integers(0, 256, (6, 20, 30, 3)).astype(np.uint8)
    sheet = contact_sheet(pictures, columns=3, gap=5, background=0)
    for i, picture in enumerate(pictures):
        y, x = 8 + 25 * (i // 3), 8 + 35 * (i % 3)
        np.testing.assert_array_equal(sheet[y:y + 20, x:x + 30], picture)


def test_grey_and_one_channel_pictures_are_shown_grey():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)  # HW -> H,W
    sheet = contact_sheet([grey, grey[:, :, None]], gap=0)
    np.testing.assert_array_equal(sheet[8:11, 8:12], np.repeat(grey[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(sheet[8:11, 8:12], sheet[8:11, 12:16])


def test_smaller_pictures_are_centred():
    sheet = contact_sheet([np.zeros((10, 10), np.uint8), np.full((4, 2), 99, np.uint8)], gap=0)
    assert find(sheet, 99) == (8 + 3, 8 + 7, 8 + 10 + 4, 8 + 10 + 6)


def test_blocks_or_smooth_is_chosen_for_each_picture():
    checks = np.array([[0, 200], [200, 0]], np.uint8)
    blocks, smooth = np.kron(checks, np.ones((4, 4), np.uint8)), resize(checks, 8, "lanczos")
    one = contact_sheet([checks], tile=8, background=100, blocks=True)
    np.testing.assert_array_equal(one[8:16, 8:16, 0], blocks)
    both = contact_sheet([checks, checks], 2, tile=8, gap=0, blocks=[True, False])
    np.testing.assert_array_equal(both[8:16, 8:24, 0], np.concatenate([blocks, smooth], axis=1))
    np.testing.assert_array_equal(contact_sheet([checks], tile=8)[8:16, 8:16, 0], smooth)


def test_a_bar_is_below_its_picture_and_moves_no_other_label():
    bars = [None, ColourBar(0, 7.25, "volts")]
    plain = contact_sheet(patches(2, 60, 90), 2, labels=["a", "b"])
    sheet = contact_sheet(patches(2, 60, 90), 2, labels=["a", "b"], bars=bars)
    made = strip(bars[1], 90)
    assert len(sheet) == len(plain) + len(made) + 4
    np.testing.assert_array_equal(sheet[8 + 64 : 8 + 64 + len(made), 8 + 92 : 8 + 182], made)
    np.testing.assert_array_equal(sheet[68:86, 8:98], plain[68:86, 8:98])  # "a", where it was
    moved = np.s_[68 + 4 + len(made) : 86 + 4 + len(made), 100:190]
    np.testing.assert_array_equal(sheet[moved], plain[68:86, 100:190])


def test_tile_reduces_smoothly_and_keeps_the_shape():
    stripes = np.zeros((100, 200), np.uint8)
    stripes[:, ::2] = 200
    inside = contact_sheet([stripes], tile=(50, 40), background=255)[8:28, 8:48]
    assert contact_sheet([stripes], tile=(50, 40)).shape == (16 + 20, 16 + 40, 3)
    assert abs(inside.astype(int) - 100).max() <= 8  # no stripes left


def test_labels_take_room_under_each_row_only():
    plain = contact_sheet(patches(4, 60, 60))
    labelled = contact_sheet(patches(4, 60, 60), labels=["a", "b", "c", "d"])
    assert labelled.shape[1] == plain.shape[1]
    assert labelled.shape[0] > plain.shape[0] + 2 * 10
    under = labelled[68:68 + 16]
    assert (under < 100).any() and (under[:, :8] == 255).all()


def test_long_labels_stay_under_their_own_picture():
    sheet = contact_sheet(patches(3, 60, 60), columns=3, gap=6, labels=["", "wide " * 30, ""])
    under = sheet[68:]
    assert (under[:, 8 + 66:8 + 66 + 60] < 100).any()
    assert (under[:, :8 + 66] == 255).all() and (under[:, 8 + 66 + 60:] == 255).all()


def test_row_and_column_labels_set_the_columns():
    sheet = contact_sheet(patches(6), row_labels=["first", "second"])
    top, _, left, _ = find(sheet, 10)
    assert left > 8 + 20
    assert find(sheet, 240)[0] > top
    by_column = contact_sheet(patches(6, 60, 60), column_labels=["one", "two"], gap=0)
    assert by_column.shape[1] == 16 + 120
    assert (by_column[8:20] < 100).any()


def test_endless_row_label_does_not_widen_the_sheet_without_end():
    assert contact_sheet(patches(1), row_labels=["x" * 500]).shape[1] < 300


def test_title_is_wrapped_above_the_pictures():
    one = contact_sheet(patches(1), title="short")
    two = contact_sheet(patches(1), title="a much longer title that needs several lines " * 2)
    assert one.shape[1] == two.shape[1] == 200
    assert two.shape[0] > one.shape[0] > contact_sheet(patches(1)).shape[0]
    assert (two[:, :6] == 255).all() and (two[:, -6:] == 255).all()


@pytest.mark.parametrize("background, ink", [(0, 255), (255, 0), ((20, 20, 60), 255)])
def test_text_can_be_read_on_the_background(background, ink):
    sheet = contact_sheet(np.full((1, 60, 60, 3), 77, np.uint8), labels=["HHH"],
                          background=background)
    assert (abs(sheet[68:].astype(int) - ink) < 60).all(axis=-1).any()
    np.testing.assert_array_equal(sheet[0, 0], np.broadcast_to(background, 3))


@pytest.mark.parametrize("text", ["日本語", "заголовок", "🐟", "\ud800", "a\nb\tc", "\x00", ""])
def test_no_text_crashes(text):
    contact_sheet(patches(1), labels=[text], row_labels=[text], column_labels=[text], title=text)
    caption(patches(1)[0], text)


def test_labels_need_not_be_strings():
    contact_sheet(patches(2), labels=[1, 2.5])


@pytest.mark.parametrize("arguments, message", [
    ({"labels": ["a"]}, "expected 4 labels, got 1"),
    ({"labels": "abcd"}, "expected 4 labels, got one string"),
    ({"columns": 2, "row_labels": ["a"]}, "expected 2 row_labels, got 1"),
    ({"columns": 2, "column_labels": ["a"]}, "expected 2 column_labels, got 1"),
    ({"bars": [None]}, "expected 4 bars, got 1"),
    ({"columns": 0}, "columns must be at least 1"),
])
def test_wrong_numbers_are_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(patches(4), **arguments)


@pytest.mark.parametrize("images, message", [
    ([], "at least one picture, got an empty list"),
    (np.zeros((4, 4, 3), np.uint8), r"pass \[image\]"),
    (np.zeros((4, 4), np.uint8), r"pass \[image\]"),
    (np.zeros((2, 4, 4, 3)), "uint8"),
    ([np.zeros((4, 4, 2), np.uint8)], r"\(4, 4, 2\)"),
    ([np.zeros((0, 4, 3), np.uint8)], r"\(0, 4, 3\)"),
])
def test_wrong_pictures_are_told(images, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(images)


def test_pictures_are_not_changed():
    pictures = np.ascontiguousarray(patches(4))
    before = pictures.copy()
    contact_sheet(pictures, tile=64, labels=list("abcd"))
    np.testing.assert_array_equal(pictures, before)


@pytest.mark.parametrize("count, columns, tile", [
    (1, None, 256), (16, None, 256), (17, None, 204), (64, None, 128), (900, None, 96),
    (None, 10, 102), (None, 1, 256)])
def test_the_tile_of_a_sheet_of_about_a_thousand_pixels(count, columns, tile):
    assert roomy(count, columns) == tile


def test_caption_goes_under_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (50, 240, 3)).astype(np.uint8)
    one, more = caption(picture, "short"), caption(picture, "vgg16 conv4_1 channel 7 " * 6)
    np.testing.assert_array_equal(one[:50], picture)
    assert one.shape[1] == more.shape[1] == 240
    assert one.shape[0] < more.shape[0]
    assert (more[50:] < 100).any() and (more[-4:] == 255).all()


def test_caption_keeps_line_breaks_and_cuts_endless_words():
    picture = np.zeros((10, 300), np.uint8)
    assert caption(picture, "a\nb").shape[0] > caption(picture, "a b").shape[0]
    endless = caption(picture, "m" * 200)
    assert (endless[10:, -6:] == 255).all()


def test_caption_gives_a_narrow_picture_room():
    sheet = caption(np.full((8, 8), 99, np.uint8), "lenet5 conv1 filter 3")
    assert sheet.shape[1] == 200
    assert find(sheet, 99) == (0, 8, 96, 104)


def test_stacked_pictures_begin_at_the_left():
    sheet = stacked([np.full((2, 3, 3), 10, np.uint8), np.full((1, 5, 3), 20, np.uint8)])
    assert sheet[..., 0].tolist() == [[10] * 3 + [255] * 2] * 2 + [[20] * 5]
    assert sheet.shape == (3, 5, 3) and sheet.dtype == np.uint8
