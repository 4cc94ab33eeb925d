"""The sheet beside a projection: which pictures, where the frame is."""

from dataclasses import replace

import numpy as np
import small

from minicnn import vis
from minicnn.images import display
from minicnn.report import sheets
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.deconvnet import Stage, each_rule, each_stage, region

NETWORK, PHOTO = small.network(), small.photo()


def bright(top, bottom, left, right, photo=PHOTO):
    """A record whose projection is as strong as can be in one rectangle."""
    x = np.zeros((1, 16, 20, 3), np.float32)
    x[0, top:bottom, left:right] = 1
    picture = np.full((16, 20, 3), 128, np.uint8)
    picture[top:bottom, left:right] = 255
    return vis.Record(image=picture, caption="a caption", photo=photo, x=x)


def frame(*rectangle):
    """Where the frame is on a black photo, (H, W) bool: the sheet's first tile, not enlarged."""
    record = bright(*rectangle, np.zeros((16, 20, 3), np.uint8))
    tile = sheets.projection(record, tile=20)[8 : 8 + 16, : 8 + 44].astype(int)
    drawn = (tile == sheets.FRAME).all(axis=-1)
    columns = np.flatnonzero((drawn | ~tile.any(axis=-1)).any(axis=0))
    assert len(columns) == 20
    return drawn[:, columns]


def test_a_frame_is_drawn_just_outside_the_unit_s_part():
    expected = np.zeros((16, 20), bool)
    expected[[3, 9], 6:15] = True
    expected[4:9, [5, 15]] = True
    np.testing.assert_array_equal(frame(4, 9, 6, 15), expected)


def test_at_the_border_the_frame_lies_on_it():
    expected = np.zeros((16, 20), bool)
    expected[[0, 15]] = expected[:, [0, 19]] = True
    np.testing.assert_array_equal(frame(0, 16, 0, 20), expected)


def test_the_photo_is_not_drawn_upon():
    photo = PHOTO.copy()
    sheets.projection(bright(4, 9, 6, 15, photo))
    np.testing.assert_array_equal(photo, PHOTO)


def test_the_other_three_pictures_and_the_caption():
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1)
    top, bottom, left, right = region(record.x)
    sheet = sheets.projection(record, tile=60)
    four = [PHOTO, PHOTO[top:bottom, left:right], record.image,
            record.image[top:bottom, left:right]]
    expected = caption(contact_sheet(four, columns=4, tile=60, labels=[
        "photo", "photo, enlarged", "projection", "projection, enlarged"]),
        f"{record.caption}\n{sheets.TELLS}")
    top = len(contact_sheet(four, columns=4, tile=60, labels=list("abcd")))
    np.testing.assert_array_equal(sheet[:top, 8 + 60 :], expected[:top, 8 + 60 :])
    np.testing.assert_array_equal(sheet[top:], expected[top:])
    other = sheets.projection(replace(record, caption="other words"), 60)
    assert not np.array_equal(sheet[top:], other[top:])  # the caption is on it


def test_a_projection_of_nothing_shows_the_whole_photo():
    record = vis.Record(image=np.full((16, 20, 3), 128, np.uint8), caption="silent", photo=PHOTO,
                        x=np.zeros((1, 16, 20, 3), np.float32))
    sheet = sheets.projection(record, tile=40)
    assert sheet.dtype == np.uint8 and sheet.shape[1] > 4 * 40


# ---- several rules side by side

def test_rules_frames_what_any_of_them_shows():
    black = np.zeros((16, 20, 3), np.uint8)
    records = {"deconvnet": bright(4, 9, 6, 15, black), "gradient": bright(2, 5, 8, 17, black)}
    sheet = sheets.rules(records, tile=20)
    part = np.s_[2:9, 6:17]
    pictures = [record.image for record in records.values()]
    framed = black.copy()
    framed[[1, 9], 6:17] = framed[2:9, [5, 17]] = sheets.FRAME
    expected = caption(contact_sheet(
        [framed, *pictures, black[part], *(p[part] for p in pictures)], columns=3, tile=20,
        column_labels=["photo", "deconvnet", "gradient"], row_labels=["whole", "enlarged"]),
        f"a caption\nEach projection is scaled by itself; zero is grey. {sheets.TELLS}")
    np.testing.assert_array_equal(sheet, expected)


def test_rules_names_all_of_them_in_one_caption():
    records = each_rule(NETWORK, PHOTO, "relu2", 1)
    words = records["deconvnet"].caption.replace(
        "rule deconvnet, LRN through",
        "rules deconvnet, gradient, guided, LRN through, gradient, through")
    assert words != records["deconvnet"].caption
    tall = sheets.rules(records, tile=60)
    row = caption(tall[:1], f"{words}\nEach projection is scaled by itself; zero is grey. "
                            f"{sheets.TELLS}")
    np.testing.assert_array_equal(tall[-len(row) + 1 :], row[1:])


# ---- every stage of the way down

def title_rows(sheet, stage):
    """At which rows of a sheet the title of a stage stands."""
    blank = np.zeros((30, 600, 3), np.uint8)
    title = contact_sheet([blank], title=f"{stage.layer}: {stage.operation}")[:30, :200]
    return [y for y in range(len(sheet) - 30) if np.array_equal(sheet[y : y + 30, :200], title)]


def test_a_row_for_every_stage_that_something_comes_down():
    record, stages = each_stage(NETWORK, PHOTO, "mix", 4)
    empty = [stage for stage in stages if not stage.array.any()]
    assert {stage.layer for stage in empty} == {"mix/relu_1x1", "mix/1x1", "mix/relu_project",
                                              "mix/project", "mix/pool"}
    sheet = sheets.stages(record, stages, planes=6, tile=30)
    shown = [stage for stage in stages if stage.array.any()]
    tops = [title_rows(sheet, stage) for stage in shown]
    assert tops == sorted(tops) and [len(rows) for rows in tops] == [1] * 9
    assert not any(title_rows(sheet, stage) for stage in empty)


def test_from_a_filtering_to_the_next_the_same_maps_are_shown():
    """Those that are strongest at the last of these stages."""
    maps = np.zeros((1, 4, 5, 3))
    maps[0, 1, 1], maps[0, 2, 2] = [-9, 1, 2], [0, 3, 1]
    group = [Stage("conv", "filter", maps),
             Stage("relu", "rectify: deconvnet", np.maximum(maps, 0))]
    after, before = sheets._pictures(group, 2)[::-1]
    assert [label for label, _ in before] == [label for label, _ in after] == ["all maps", "map 1",
                                                                               "map 2"]
    np.testing.assert_array_equal(
        before[1][1], display.signed_to_uint8(np.pad([[1, 0], [0, 3]], 1), 3))
    np.testing.assert_array_equal(
        before[0][1], display.to_uint8(np.pad([[86**0.5, 0], [0, 10**0.5]], 1), 0))


def test_maps_stay_the_same_up_to_a_filtering_and_where_maps_are_split():
    """Where paths part: which stages show the same maps."""
    record, stages = each_stage(NETWORK, PHOTO, "relu2", 1)
    groups = [[stage.operation.partition(":")[0] for stage in group]
              for group in sheets._same_maps(stages[:-1])]
    assert groups == [["all others to zero", "rectify"], ["filter"], ["split in 3"],
                      ["rectify"], ["filter", "unpool"], ["rectify"], ["filter"], ["rectify"],
                      ["filter"], ["add 3", "unpool", "LRN", "rectify"]]


def test_a_dense_layer_s_stage_is_shown_too():
    record, stages = each_stage(NETWORK, PHOTO, "fc", 1)
    assert stages[0].array.shape == (1, 4)
    sheet = sheets.stages(record, stages)
    assert sheet.dtype == np.uint8 and sheet.shape[1] >= 7 * sheets.PLANE_TILE


def test_the_last_row_is_the_projection_and_what_of_it_is_not_faint():
    record, stages = each_stage(NETWORK, PHOTO, "relu1", 0)
    top, bottom, left, right = region(record.x)
    blank = np.full((40, 40), 255, np.uint8)
    row = contact_sheet([record.image, record.image[top:bottom, left:right]] + [blank] * 2, 4,
                        ["", "enlarged", "", ""], tile=40, title="conv1: filter")
    sheet = sheets.stages(record, stages, planes=3, tile=40)
    words = caption(np.full((1, sheet.shape[1]), 255, np.uint8),
                    f"{record.caption}\nFrom the unit down to the pixels.")
    np.testing.assert_array_equal(sheet[-len(words) + 1 :], words[1:])
    last = sheet[-len(words) + 1 - len(row) : -len(words) + 1]
    np.testing.assert_array_equal(last[:, : row.shape[1]], row)


def test_the_cells_of_maps_are_blocks_and_the_projection_is_smooth(monkeypatch):
    record, stages = each_stage(NETWORK, PHOTO, "relu2", relu="guided")
    drawn = []
    monkeypatch.setattr(sheets, "contact_sheet", lambda *given, blocks=False, **more: (
        drawn.append(blocks) or contact_sheet(*given, blocks=blocks, **more)))
    sheets.stages(record, stages)
    assert drawn[-1] is False and all(drawn[:-1]) and len(drawn) > 2
    drawn.clear()
    sheets.projection(record)
    sheets.rules({"guided": record})
    assert drawn == [False, False]


def test_the_pictures_of_the_sheets_by_name():
    records = each_rule(NETWORK, PHOTO, "relu2")
    made = sheets.rules_pictures(records)
    assert list(made) == ["photo", *records]
    assert all(made[rule] is records[rule].image for rule in records)
    one = records["guided"]
    assert list(sheets.projection_pictures(one).values()) == [one.photo, one.image]
