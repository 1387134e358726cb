"""Makes commands for random sessions. A test validates their records with the schema.

random_records.py SEED COUNT: prints commands, one per line: all commands that 'help' lists, with words of every kind, on
raw images and zoned devices.
"""
import json
import os
import random
import subprocess
import sys

OFFSETS = ["0", "512", "4k", "63k", "64k", "1M", "4M", "0z", "1z", "2z+wp", "3z+4k", "7z", "wp", "wp-512", "-1", "9E", "x", "1.5k"]
LENGTHS = ["0", "1", "512", "4k", "64k", "1z", "2z", "1M", "3G", "-4k", "q"]
WORDS = ["all", "zns", "empty", "full", "reset", "event", "tag", "a.img", "b.zoned", "saved", "raw", "zoned", "nowhere", "zone_report", "length",
         "read", "write", "why", "EIO", "zone-full", "past-end", "on", "x=y", "'two words'", "\"", "\N{GREEK SMALL LETTER ALPHA}", ".", "1", "8"]
OPENS = ["open -o driver=raw,file.driver=file,file.filename=a.img", "open -o driver=raw,file.driver=file,file.filename=a.img", "open b.zoned",
         "open -o driver=zoned,size=8M,zone.size=1M,zone.capacity=768k,zone.conventional_zones=1,zone.readonly=2,zone.offline=3,"
         "zone.max_open_zones=2,zone.max_active_zones=3,zone.max_append_bytes=64k",
         "open -o driver=zoned,size=1M,zone.size=64k,zone.max_open_zones=1", "open -r a.img", "open -o driver=null-co,size=1G",
         "open -o driver=blkdebug,image.driver=file,image.filename=a.img,inject-error.0.event=read_aio,inject-error.0.errno=5"]
# These end the session, wait for a person or for a long time, or run programs.
LEFT_OUT = {"quit", "abort", "sigraise", "sleep", "wait_break", "crash", "source", "zone_map"}
OUTER = {"fails": ["", "EIO", "zone-full", "past-end", "EINVAL"], "expect": ["x", "-v x", "-F 64", "^zone"], "watch": ["-c 2 0"]}


def commands_of_the_program():
    shown = subprocess.run([os.environ["ZONEIO"], "--output", "json", "-c", "help"], capture_output=True, check=True).stdout
    return {command["name"]: command["arguments"] for command in json.loads(shown)["commands"] if command["name"] not in LEFT_OUT}


def letters(arguments):
    """The letters in the usage line of a command; most of them are options."""
    return sorted({letter for word in arguments.split("[") if word.startswith("-") for letter in word[1:].split("]")[0].split()[0] if letter.isalnum()})


def random_command(draw, commands, depth=0):
    name = draw.choice(list(commands))
    if name in OUTER and depth < 3:
        return f"{name} {draw.choice(OUTER[name])} {random_command(draw, commands, depth + 1)}"
    words = [name]
    for letter in letters(commands[name]):
        if draw.random() < 0.25:
            words.append("-" + letter)
            if draw.random() < 0.4:
                words.append(draw.choice(LENGTHS + WORDS))
    if draw.random() < 0.9:
        words += [draw.choice(OFFSETS), draw.choice(LENGTHS)][:draw.randrange(1, 3)]
    if draw.random() < 0.3:
        words.append(draw.choice(WORDS))
    return " ".join(words)


def main(seed, count):
    draw = random.Random(int(seed))
    commands = commands_of_the_program()
    usual = {name: commands[name] for name in ("read", "write", "aio_read", "aio_write", "zone_reset", "zone_open", "zone_finish", "zone_append", "find", "dump")}
    for number in range(int(count)):
        if number % 25 == 0:
            print("aio_flush", "close", draw.choice(OPENS), sep="\n")
        print(random_command(draw, commands if draw.random() < 0.6 else usual))
        if draw.random() < 0.2:
            print(draw.choice(["why", "status", "aio_flush", "zone_list", "zone_map -m 8", "zone_info", "zone_report 0 99"]))


main(*sys.argv[1:])
