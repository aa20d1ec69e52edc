"""Makes the pictures of testdata/pictures: python make_pictures.py, with Pillow 13 and pillow-heif 1.

Each is of 48×32 pixels, its quarters red, green, blue and white. The tests of package data read them all, and find that, or
say of those whose names begin with "other-" that they are not supported.
"""

import pathlib
import struct

import pillow_heif
from PIL import Image, ImageCms

pillow_heif.register_heif_opener()
folder = pathlib.Path(__file__).parent / "pictures"
quarters = Image.new("RGB", (48, 32))
for x, y, colour in [(0, 0, "red"), (24, 0, "lime"), (0, 16, "blue"), (24, 16, "white")]:
    quarters.paste(colour, (x, y, x + 24, y + 16))
black = Image.new("RGB", (48, 32))
palette = quarters.quantize(4)
clear = quarters.convert("RGBA")  # its white quarter is transparent
clear.paste((0, 0, 0, 0), (24, 16, 48, 32))


def save(name, picture=quarters, **options):
    picture.save(folder / name, **options)


def without(data, marker):
    """The JPEG without a segment."""
    at = data.index(marker)
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def entry(tag, kind, count, value):
    return struct.pack("<HHII", tag, kind, count, value)


def planar():
    """A TIFF whose colours lie one after the other."""
    planes = [quarters.getchannel(c).tobytes() for c in "RGB"]
    size, head = 48 * 32, 8 + 2 + 10 * 12 + 4
    at = head + 6 + 12 + 12
    entries = [
        entry(256, 3, 1, 48), entry(257, 3, 1, 32), entry(258, 3, 3, head), entry(259, 3, 1, 1), entry(262, 3, 1, 2),
        entry(273, 4, 3, head + 6), entry(277, 3, 1, 3), entry(278, 3, 1, 32), entry(279, 4, 3, head + 18), entry(284, 3, 1, 2),
    ]  # fmt: skip
    tail = struct.pack("<3H3I3I", 8, 8, 8, at, at + size, at + 2 * size, size, size, size)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + b"\0" * 4 + tail + b"".join(planes)


folder.mkdir(exist_ok=True)
save("baseline.jpg", quality=90)
save("progressive.jpg", quality=90, progressive=True)
save("restart.jpg", quality=90, restart_marker_blocks=2)
save("full.jpg", quality=95, progressive=True, subsampling=0)
save("cmyk.jpg", quarters.convert("CMYK"), quality=95)
(folder / "cmyk-without-adobe.jpg").write_bytes(without((folder / "cmyk.jpg").read_bytes(), b"\xff\xee"))
save("other-restart-progressive.jpg", quality=90, progressive=True, restart_marker_blocks=2)

save("lossy.webp", quality=90)
save("lossless.webp", lossless=True)
save("alpha.webp", clear, quality=90)
save("lossless-alpha.webp", clear, lossless=True, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
save("animated.webp", save_all=True, append_images=[black], quality=90)
save("animated-lossless.webp", save_all=True, append_images=[black], lossless=True)
save("animated-alpha.webp", clear, save_all=True, append_images=[black.convert("RGBA")], quality=90)

save("still.gif", palette)
save("animated.gif", palette, save_all=True, append_images=[black])
save("clear.gif", clear)

save("24.bmp")
save("32.bmp", quarters.convert("RGBA"))
save("palette.bmp", palette)

for compression in ["raw", "tiff_lzw", "tiff_deflate", "packbits"]:
    save(f"{compression.removeprefix('tiff_')}.tif", compression=compression)
save("strip.tif", compression="tiff_deflate", tiffinfo={278: 65535})
save("alpha.tif", quarters.convert("RGBA"), compression="tiff_lzw")
save("palette.tif", palette, compression="tiff_lzw")
save("pages.tif", save_all=True, append_images=[black], compression="tiff_lzw")
(folder / "other-planar.tif").write_bytes(planar())
save("other-cmyk.tif", quarters.convert("CMYK"), compression="tiff_lzw")
save("other-float.tif", quarters.convert("F"), compression="tiff_lzw")
save("other-fax.tif", quarters.convert("1"), compression="group4")
save("other-jpeg.tif", compression="jpeg")
save("other-big.tif", compression="raw", big_tiff=True)

for ending in ["avif", "heic", "jp2"]:
    save(f"other.{ending}")
