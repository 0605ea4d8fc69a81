#!/usr/bin/python3
"""Make tests/image/data: tiny PNG, JPEG and BMP files and golden.txt, the pixels Pillow gets from them.

    /usr/bin/python3 tools/make_image_golden.py        (Debian: python3-pil python3-numpy)

golden.txt, one case a line:
    decode FILE WIDTH HEIGHT SHA256            pixels of ImageOps.exif_transpose(Image.open(FILE)).convert("RGB")
    resize FILE WIDTH HEIGHT FILTER SHA256     the same, then resize((WIDTH, HEIGHT), FILTER)
The hash is over the RGB bytes, rows from the top. 16-bit grey is the one place where we differ from Pillow on purpose
(docs/decisions/0004): the high byte is taken, so the hash is made from that.

The pictures are drawn here from fixed formulas; the files come out the same with the same Pillow and libjpeg-turbo.
"""
import hashlib
import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "tests", "image", "data")
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# Adam7: first column, first row, column step, row step of each pass.
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def samples(width, height, channels, top):
    """Smooth gradients with some noise, values 0 .. top, [height, width, channels]."""
    random = np.random.default_rng(width * 1000 + height * 10 + channels)
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * (3 + c) + y * (2 * c + 1)) / (3.0 * width + (2 * c + 1) * height) for c in range(channels)]
    noise = random.uniform(-0.08, 0.08, (height, width, channels))
    return (np.clip(np.stack(planes, -1) + noise, 0, 1) * top + 0.5).astype(np.uint16)


def pack_row(row, depth):
    """Samples of one row (flat) to bytes: big-endian 16 bits, bytes, or bits from the high end."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    per = 8 // depth
    row = np.concatenate([row, np.zeros(-len(row) % per, row.dtype)]).reshape(-1, per)
    return bytes(sum(int(v) << (8 - depth * (i + 1)) for i, v in enumerate(r)) for r in row)


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filter_row(kind, row, above, step):
    out = bytearray([kind])
    for i, v in enumerate(row):
        a = row[i - step] if i >= step else 0
        b = above[i]
        c = above[i - step] if i >= step else 0
        guess = [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]
        out.append((v - guess) & 255)
    return bytes(out)


def pack_image(values, depth):
    """Filtered rows, the five filters in turn."""
    step = max(values.shape[2] * depth // 8, 1)
    above, data = None, b""
    for y in range(values.shape[0]):
        row = pack_row(values[y].reshape(-1), depth)
        data += filter_row(y % 5, row, above or bytes(len(row)), step)
        above = row
    return data


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values, colour, depth, interlaced=False, palette=None, trns=None, extra=b"", tail=b""):
    height, width = values.shape[:2]
    out = b"\x89PNG\r\n\x1a\n"
    out += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
    out += extra
    if palette is not None:
        out += chunk(b"PLTE", palette)
    if trns is not None:
        out += chunk(b"tRNS", trns)
    if interlaced:
        parts = [values[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        data = b"".join(pack_image(p, depth) for p in parts if p.size)
    else:
        data = pack_image(values, depth)
    packed = zlib.compress(data, 9)
    half = len(packed) // 2
    out += chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", packed[half:])
    return out + tail + chunk(b"IEND", b"")


def exif(orientation, order="<", kind=3):
    """A TIFF structure with one directory: camera maker, then orientation."""
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *([orientation, 0] if kind == 3 else [orientation]))
    entries = struct.pack(order + "HHI", 0x010F, 2, 4) + b"abc\0" + struct.pack(order + "HHI", 0x0112, kind, 1) + value
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


def jpeg(mode, size=(37, 23), exif_bytes=None, **options):
    values = samples(*size, 4, 255).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(values[..., 0] if mode == "L" else values[..., : len(mode)]), mode)
    stream = io.BytesIO()
    if exif_bytes:
        options["exif"] = b"Exif\0\0" + exif_bytes
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def adobe(data, transform):
    """Set the colour transform in the Adobe segment: 2 = YCCK; or put a segment in: 0 = plain RGB."""
    at = data.find(b"Adobe\0")
    if at >= 0:
        return data[: at + 11] + bytes([transform]) + data[at + 12 :]
    segment = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    jfif_end = 4 + struct.unpack(">H", data[4:6])[0]
    return data[:2] + segment + data[jfif_end:]


def bmp(values, depth, palette=None, header=40, down=False, masks=None, colours=0):
    """values [height, width, 1] of a palette (its entries blue, green, red, 0), or [height, width, 3 or 4] as stored."""
    height, width = values.shape[:2]
    rows = [pack_row(values[y].reshape(-1), min(depth, 8)) for y in range(height)]
    rows = [row + b"\0" * (-len(row) % 4) for row in (rows if down else rows[::-1])]
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, depth)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, -height if down else height, 1, depth, 3 if masks else 0,
                           0, 2835, 2835, colours, 0)
        info += struct.pack("<IIII", *(masks or (0, 0, 0, 0)))[: 12 if masks and header == 40 else max(header - 40, 0)]
        info += bytes(max(header - 56, 0))
    front = info + (palette or b"")
    data = b"".join(rows)
    return struct.pack("<2sIHHI", b"BM", 14 + len(front) + len(data), 0, 0, 14 + len(front)) + front + data


def bmp_files():
    out = {}
    entries = [bytes(c) + b"\0" for c in samples(256, 1, 3, 255).astype(np.uint8)[0]]
    for depth in (1, 4, 8):
        values = samples(19, 13, 1, (1 << depth) - 1)
        out["palette%d.bmp" % depth] = bmp(values, depth, b"".join(entries[: 1 << depth]))
        out["core%d.bmp" % depth] = bmp(values, depth, b"".join(e[:3] for e in entries[: 1 << depth]), 12)
    out["palette8short.bmp"] = bmp(samples(19, 13, 1, 99), 8, b"".join(entries[:100]), colours=100)
    out["core24.bmp"] = bmp(samples(19, 13, 3, 255), 24, header=12)
    out["rgb24down.bmp"] = bmp(samples(19, 13, 3, 255), 24, down=True)
    out["rgb24v4.bmp"] = bmp(samples(18, 13, 3, 255), 24, header=108)
    out["rgb24v5.bmp"] = bmp(samples(17, 13, 3, 255), 24, header=124)
    out["rgb32.bmp"] = bmp(samples(19, 13, 4, 255), 32)
    out["fields32.bmp"] = bmp(samples(19, 13, 4, 255), 32, masks=(0xff0000, 0xff00, 0xff, 0))
    out["fields32v4.bmp"] = bmp(samples(19, 13, 4, 255), 32, header=108, masks=(0xff, 0xff00, 0xff0000, 0xff000000))
    for mode in ("1", "L", "RGB"):
        values = samples(19, 13, 3, 255).astype(np.uint8)
        stream = io.BytesIO()
        Image.fromarray(values).convert(mode).save(stream, "BMP")
        out["pillow%s.bmp" % mode] = stream.getvalue()
    return out


def files():
    """Name -> bytes."""
    out = bmp_files()
    palette16 = samples(16, 1, 3, 255).astype(np.uint8).tobytes()
    palette256 = samples(256, 1, 3, 255).astype(np.uint8).tobytes()
    kinds = [(GREY, "grey", (1, 2, 4, 8, 16)), (RGB, "rgb", (8, 16)), (PALETTE, "palette", (1, 2, 4, 8)),
             (GREY_ALPHA, "greyalpha", (8, 16)), (RGBA, "rgba", (8, 16))]
    for colour, name, depths in kinds:
        for depth in depths:
            for interlaced in (False, True):
                values = samples(19, 13, CHANNELS[colour], (1 << depth) - 1)
                colours = None
                if colour == PALETTE:
                    colours = (palette256 if depth == 8 else palette16)[: 3 << depth]
                title = "%s%d%s.png" % (name, depth, "i" if interlaced else "")
                out[title] = png(values, colour, depth, interlaced, colours)
    out["palette8trns.png"] = png(samples(19, 13, 1, 255), PALETTE, 8, palette=palette256, trns=bytes(range(200)))
    out["palette4short.png"] = png(samples(19, 13, 1, 4), PALETTE, 4, palette=palette16[:15])
    out["grey8trns.png"] = png(samples(19, 13, 1, 255), GREY, 8, trns=b"\0\x80")
    out["rgb8trns.png"] = png(samples(19, 13, 3, 255), RGB, 8, trns=b"\0\x80\0\x80\0\x80")
    notes = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"Comment\0" + b"x" * 50)
    out["notes.png"] = png(samples(19, 13, 3, 255), RGB, 8, extra=notes)
    out["one.png"] = png(samples(1, 1, 3, 255), RGB, 8)
    out["one_i.png"] = png(samples(1, 1, 3, 255), RGB, 8, True)
    stripes = np.tile((np.arange(20000) // 37 * 29 % 256).astype(np.uint16), (3, 1))
    out["wide.png"] = png(stripes[..., None], GREY, 8)
    for o in range(1, 9):
        out["exif%d.png" % o] = png(samples(7, 5, 3, 255), RGB, 8, extra=chunk(b"eXIf", exif(o)))
        out["exif%d.jpg" % o] = jpeg("RGB", (11, 5), exif(o, "<>"[o % 2]), quality=80)
    out["exif6late.png"] = png(samples(7, 5, 3, 255), RGB, 8, tail=chunk(b"eXIf", exif(6, ">")))
    out["exif8long.jpg"] = jpeg("RGB", (11, 5), exif(8, ">", 4), quality=80)
    out["exif0.jpg"] = jpeg("RGB", (11, 5), exif(0), quality=80)
    out["exif9.jpg"] = jpeg("RGB", (11, 5), exif(9), quality=80)
    for name, sub in (("444", 0), ("422", 1), ("420", 2)):
        out["rgb%s.jpg" % name] = jpeg("RGB", quality=85, subsampling=sub)
        out["rgb%sp.jpg" % name] = jpeg("RGB", quality=85, subsampling=sub, progressive=True)
    out["grey.jpg"] = jpeg("L", quality=60)
    out["greyp.jpg"] = jpeg("L", quality=60, progressive=True)
    out["cmyk.jpg"] = jpeg("CMYK", quality=85)
    out["ycck.jpg"] = adobe(jpeg("CMYK", quality=85, progressive=True), 2)
    out["plainrgb.jpg"] = adobe(jpeg("RGB", quality=90, subsampling=0), 0)
    out["one.jpg"] = jpeg("RGB", (1, 1), quality=90)
    return out


def pixels(name, data):
    """RGB bytes [h, w, 3] as Pillow has them; 16-bit grey by its high byte."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if name.startswith("grey16"):
        high = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
        return np.repeat(high[..., None], 3, 2)
    return np.asarray(image.convert("RGB"))


RESIZES = [("rgb8.png", w, h) for w, h in ((1, 1), (19, 13), (19, 5), (6, 13), (8, 8), (38, 26), (57, 7), (5, 40))]
RESIZES += [("rgb444.jpg", w, h) for w, h in ((17, 11), (36, 23), (37, 22), (96, 60))]
RESIZES += [("one.png", 5, 3), ("wide.png", 224, 3), ("wide.png", 100, 1), ("wide.png", 19999, 2)]


def main():
    os.makedirs(OUT, exist_ok=True)
    lines = []
    made = files()
    for name, data in sorted(made.items()):
        with open(os.path.join(OUT, name), "wb") as f:
            f.write(data)
        p = pixels(name, data)
        lines.append("decode %s %d %d %s" % (name, p.shape[1], p.shape[0], hashlib.sha256(p.tobytes()).hexdigest()))
    for name, width, height in RESIZES:
        for label, kind in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
            p = Image.fromarray(pixels(name, made[name])).resize((width, height), kind).tobytes()
            lines.append("resize %s %d %d %s %s" % (name, width, height, label, hashlib.sha256(p).hexdigest()))
    with open(os.path.join(OUT, "golden.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


main()
