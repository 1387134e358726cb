"""Seeded random choices, and the pools of numbers, patterns and images."""

import random

from case import File

# Sizes of images: near sectors and pages, to test rounding and padding.
SIZES = (0, 1, 511, 512, 513, 1000, 1024, 4095, 4096, 4097, 10000, 65535, 65536, 65537, 262144, 1 << 20)
BORDERS = (0, 1, 2, 16, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 8192, 65535, 65536, 65537)
# Around the largest request, 2^31, 2^32, the largest offset, and beyond what 64 bits hold.
HUGE = (2147483135, 2147483136, 2147483137, 2147483647, 2147483648, 4294967295, 4294967296,
        7 << 60, 2**63 - 1024, 2**63 - 513, 2**63 - 512, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30)
HUGE_WORDS = ("7E", "7e", "8E", "7.999E", "8191P", "16E", "0x7fffffffffffffff", "0x8000000000000000",
              "0xffffffffffffffff", "0x10000000000000000", "9007199254740993", "2147483136.5k",
              "99999999999999999999", "1e", ".5e", "8388607T")
GARBAGE = ("1kB", "1KiB", "1kk", "0x", "0X", "-1", "-0", "-4k", "1e3", "1e+3", "1.5", "1.5b", "1..5", ".",
           "+", "-", "k", ".k", "+.5k", "++1", "+-1", "0x1.8", "0x1k", "0x1b", "0xg", "00x10", "0b1",
           "0o7", "inf", "nan", "infinity", "1_0", "1,0", "1;", "4k\t", "4k\r", "512,", "1/2", "1d", "0.",
           "0.0", "0.5", "0.5b", "1.0b", "\u0664", "\uff11", "x", "abc", "0x-1", "--", "-P", "1.k", "1.e")
SUFFIXES = "bBkKmMgGtTpPeE"

PATTERNS = ("0", "1", "0xab", "0xAB", "0xcd", "0", "0xff", "255", "171", "17", "010", "0X1f", "+5")
BAD_PATTERNS = ("256", "-1", "0x100", "08", "0x", "0xg", "x", "1k", "1.0", "1e1", "0xabz", "-0", "",
                "99999999999999999999", "0b1", "\u0664", "-129")


class Draw(random.Random):
    def chance(self, probability):
        return self.random() < probability

    def pick(self, *pool):
        return self.choice(pool[0] if len(pool) == 1 else pool)

    def weighted(self, table):
        """A key of {key: weight}."""
        return self.choices(list(table), weights=list(table.values()))[0]

    def subset(self, pool, probability):
        return [item for item in pool if self.chance(probability)]

    def shuffled(self, pool):
        return self.sample(pool, len(pool))

    # ------------------------------------------------------------------------------------ numbers

    def near(self, size):
        """A number near the start, the end or a boundary of an image of this size."""
        up = (size + 511) // 512 * 512
        return max(0, self.pick(size, up, size // 2) + self.pick(-4096, -513, -512, -1, 0, 0, 0, 1, 512))

    def amount(self, size):
        """A number that is likely to be a valid offset or length for an image of this size."""
        kind = self.random()
        if kind < 0.45:
            return self.randrange(0, max(1, size), 512)
        if kind < 0.65:
            return self.pick(BORDERS)
        if kind < 0.8:
            return self.near(size)
        return self.randrange(0, size + 1)

    def number(self, size, odd=0.1):
        """An offset or length as text: mostly valid, sometimes huge or nonsense."""
        if not self.chance(odd):
            return self.spell(self.amount(size))
        return self.weighted({self.spell(self.pick(HUGE)): 3, self.pick(HUGE_WORDS): 2,
                              self.pick(GARBAGE): 3, self.grammar(): 2})

    def spell(self, value):
        """One of the ways to write a number."""
        kind = self.random()
        if kind < 0.5:
            return str(value)
        if kind < 0.62:
            return self.pick("0x%x", "0x%X", "0X%x", "+0x%x", "0x0%x") % value
        if kind < 0.68:
            return self.pick("+%d", "0%d", "%d.", "%d.0", "%db", "%dB") % value
        scale, suffix = self.pick((1 << 10, "k"), (1 << 10, "K"), (1 << 20, "m"), (1 << 20, "M"), (1 << 30, "g"))
        if value % scale == 0:
            return f"{value // scale}{suffix}"
        if value * 4 % scale == 0:
            return f"{value / scale}{suffix}"
        return str(value)

    def digits(self, longest=6):
        return "".join(self.choices("0123456789", k=self.randint(1, self.pick(1, 3, longest))))

    def grammar(self):
        """A word shaped like a number, with every part optional and at times a wrong character."""
        if self.chance(0.2):
            text = self.pick("0x", "0X", "+0x", "-0x", "00x") + "".join(
                self.choices("0123456789abcdefABCDEF", k=self.randint(0, self.pick(2, 4, 17))))
        else:
            text = self.pick("", "", "", "+", "-") + (self.digits(self.pick(3, 20)) if self.chance(0.9) else "")
            if self.chance(0.5):
                text += "." + (self.digits(25) if self.chance(0.85) else "")
        if self.chance(0.6):
            text += self.pick(SUFFIXES)
        if self.chance(0.12):
            place = self.randint(0, len(text))
            text = text[:place] + self.pick("-+.xXeEkKiIbB0_,'\t\r") + text[place:]
        return text

    def small_number(self):
        """Words like grammar(), but small enough that many are valid lengths in a small image."""
        if self.chance(0.3):
            return self.grammar()
        suffix = self.pick("", "", "b", "B", "k", "K", "k")
        text = self.pick("", "", "+") + self.pick("", "0", "00") + str(self.pick(0, 1, 2, 3, 4, 9, 15, 60, 63))
        if self.chance(0.6):
            text += "." + self.pick(self.digits(22), "5", "25", "0", "", "000", "0004882812", "00048828125",
                                    "9999999999999999999", "99951171875", "9995")
        return text + suffix

    def pattern(self, odd=0.08):
        return self.pick(BAD_PATTERNS) if self.chance(odd) else self.pick(PATTERNS)

    # ------------------------------------------------------------------------------------- images

    def image(self, name="a.img", sizes=SIZES):
        size = self.pick(sizes)
        kind = self.random()
        if kind < 0.3:
            return File(name, size)
        if kind < 0.6:
            return File(name, size, fill=self.pick(0, 1, 0xab, 0xcd, 0x41))
        extents = []
        for _ in range(self.randint(1, 4)):
            start = self.pick(self.randrange(0, size + 1), self.randrange(0, size + 1, 4096))
            extents.append((start, min(size - start, self.pick(1, 512, 4096, 5000, 65536)),
                            self.pick(0, 1, 0xab, 0xcd, 0x61)))
        return File(name, size, extents=tuple(e for e in extents if e[1]))
