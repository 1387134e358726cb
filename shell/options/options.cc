// SPDX-License-Identifier: GPL-3.0-or-later
//
// The options in one table: names, arguments, meaning and help. getopt_long(3) is used with it, because it has the
// grammar that qemu-io's users expect (clusters, abbreviations, operands anywhere) and its messages. Options are
// checked one by one, in the order of the command line.
#include "shell/options/options.h"

#include "block/node/driver.h"
#include "block/objects/user_object.h"
#include "block/trace/trace.h"
#include "commands/report/report.h"
#include "commands/text/nearest.h"
#include "commands/text/print.h"
#include "commands/text/safe_text.h"
#include "shell/options/complaint.h"
#include "shell/options/trace.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <getopt.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr const char* version_text = "qemu-io version 11.1 (zoneio " ZONEIO_VERSION ")\n"
                                     "Copyright (c) 2026 The zoneio developers. Licence GPL-3.0-or-later\n";

constexpr const char* head_text = "Usage: {} [OPTION]... [-c COMMAND]... [file]\n"
                                  "A command shell for raw files, block devices and zoned block devices.\n"
                                  "\n"
                                  "  file                 image: a file name, PROTOCOL:NAME or json:{{...}}\n";
constexpr const char* foot_text = "\nThe first mode is the default. 'zoneio -c help' lists commands; see zoneio(1).\n"
                                  "Example: zoneio -f raw -c 'write -P 0x5a 0 4k' disk.img\n";

constexpr std::string_view image_group = "Image";
constexpr std::string_view commands_group = "Commands";
constexpr std::string_view output_group = "Output";
constexpr std::string_view other_group = "Other";

using Words = std::vector<std::string_view>;

Words output_words() {
    return {"text", "json"};
}

template <const auto& Table>
Words mode_words() {
    return {offered_words<Table>.begin(), offered_words<Table>.end()};
}

Words driver_names() {
    Words names;
    for (const DriverInfo& info : driver_table()) {
        names.push_back(info.name);
    }
    return names;
}

constexpr EnumWord<Guard> guard_words[] = {{"warn", Guard::warn}, {"refuse", Guard::refuse}, {"off", Guard::off}};

/// The device of --playground: small, so that zones fill up fast and the open-zone limit is reached soon.
constexpr const char* playground =
    R"(json:{"driver": "zoned", "size": "64M", "zone.size": "4M", "zone.capacity": "3M", "zone.max_open_zones": 4})";

class OptionParser {
public:
    OptionParser(const std::string& program, ProcessOptions& options) : program_(program), errors_(program), options_(options) {}

    std::optional<int> parse(int argc, char** argv);
    static std::vector<ProcessOption> list();

private:
    struct Row {
        char letter; ///< 0: none
        const char* name;
        std::string_view value_name; ///< empty: it takes no argument
        std::string_view group;
        std::string_view text;
        /// `value` is empty if there is no argument.
        void (*take)(OptionParser& parser, const char* value);
        Words (*words)() = nullptr; ///< words that the argument may be; null: anything
    };
    struct Table;

    static const Row& row_of(char letter);
    static bool is_one_of_ours(std::span<char* const> words);

    void set_cache(const std::string& word) {
        check(parse_cache_mode(word, options_.open.flags, options_.open.writethrough), "cache", word, mode_words<cache_mode_words>);
    }

    void set_trace(const std::string& spec) {
        const Result<std::optional<int>> help = configure_trace(program_, spec, trace_file_);
        if (help.ok()) {
            exit_status_ = *help;
        } else {
            fail_after_name(help.status().message(), help.status().code());
        }
    }

    void show_help() {
        print_help(stdout);
        exit_status_ = EXIT_SUCCESS;
    }

    void show_version() {
        fputs(version_text, stdout);
        exit_status_ = EXIT_SUCCESS;
    }

    void set_output(const std::string& word) {
        check(word == "text" || word == "json", "output", word, output_words);
        options_.json = word == "json";
    }

    void set_guard(std::string_view word) {
        Guard guard = Guard::off;
        check(parse_enum(guard_words, word, guard).ok(), "guard", word, mode_words<guard_words>);
        options_.guard = guard;
    }

    /// Applies the environment where no option has been given.
    void take_environment() {
        const char* const guard = getenv("ZONEIO_GUARD");
        if (guard != nullptr && *guard != '\0' && !options_.guard) {
            set_guard(guard);
        }
    }

    void check(bool valid, std::string_view kind, std::string_view word, Words (*words)()) {
        if (!valid) {
            fail(fmt::format("Invalid {} option: {}", kind, word));
            explain(choices_text(fmt::format("--{} takes", kind), word, words()));
        }
    }

    void add_object(const std::string& spec) {
        std::string help;
        const Status status = add_user_object(spec, help);
        if (!status.ok()) {
            fail(status.message());
        } else if (!help.empty()) {
            fputs(help.c_str(), stdout);
            exit_status_ = EXIT_SUCCESS;
        }
    }

    void fail(const std::string& text, int code = EINVAL) { fail_after_name(": " + text, code); }

    /// `text` starts with the separator after the program's name.
    void fail_after_name(const std::string& text, int code) {
        if (errors_.is_json()) {
            const std::string message = text.substr(text.find_first_not_of(": "));
            code == EINVAL ? errors_.error(message) : errors_.error(Status::error(code, message));
            errors_.end_command(false);
        } else {
            print_error_line(program_, {}, text);
        }
        exit_status_ = EXIT_FAILURE;
    }

    void print_help(FILE* stream) {
        print_to(stream, head_text, program_);
        const std::vector<ProcessOption> rows = list();
        for (const std::string_view group : {image_group, commands_group, output_group, other_group}) {
            print_to(stream, "\n{}:\n", group);
            for (const ProcessOption& row : rows) {
                if (row.group == group) {
                    const std::string letter = row.letter.empty() ? "   " : fmt::format("-{},", row.letter);
                    print_to(stream, "  {} {:<16} {}\n", letter, fmt::format("--{}{}{}", row.name, row.value_name.starts_with('[') ? "" : " ", row.value_name), row.text);
                }
            }
        }
        fputs(foot_text, stream);
    }

    /// Ends with the usage text or, in JSON, with a record of the error.
    template <typename Complaint>
    int refuse(Complaint&& complaint) {
        errors_.is_json() ? fail(complaint()) : print_help(stdout);
        return EXIT_FAILURE;
    }

    /// Printed below the message or the usage, which is long; only at a terminal, because qemu-io prints nothing.
    void explain(const std::string& text) const {
        if (!errors_.is_json() && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
            fflush(stdout);
            print_to(stderr, "{}\n", for_terminal(STDERR_FILENO, text));
        }
    }

    std::optional<int> take_operands(std::span<char*> operands) {
        if (operands.size() > 1) {
            const auto complaint = [&] { return fmt::format("one image at most: {}", fmt::join(operands, " ")); };
            const int status = refuse(complaint);
            explain(fmt::format("zoneio opens one image; these are {}: {}", operands.size(), fmt::join(operands, ", ")));
            return status;
        }
        if (format_ && options_.image_opts) {
            fail("--image-opts and -f are mutually exclusive");
            return exit_status_;
        }
        const Status status = trace_file_ ? trace_set_file(*trace_file_) : Status();
        if (!status.ok()) {
            fail(status.message(), status.code());
            return exit_status_;
        }
        if (!operands.empty() && options_.file) {
            fail("--playground is an image: no other one can be opened");
            return exit_status_;
        }
        take_environment();
        if (exit_status_) {
            return exit_status_;
        }
        if (!operands.empty()) {
            options_.file = operands.front();
        }
        if (format_) {
            options_.open.options.set("driver", *format_);
        }
        return std::nullopt;
    }

    const std::string program_;
    Reporter errors_; ///< used in JSON mode
    ProcessOptions& options_;
    std::optional<std::string> format_;
    std::optional<std::string> trace_file_;
    std::optional<int> exit_status_;
};

// Names of arguments that accept only a few words, which are listed in the help text.
constexpr std::string_view mode = "MODE";

struct OptionParser::Table {
    static constexpr Row rows[] = {
        {'c', "cmd", "COMMAND", commands_group, "run a command; may be repeated",
         [](OptionParser& p, const char* v) { p.options_.commands.push_back({v, false}); }},
        {'f', "format", "DRIVER", image_group, "driver of the image; default: raw or zoned, by content",
         [](OptionParser& p, const char* v) { p.format_ = v; }, driver_names},
        {0, "image-opts", "", image_group, "file is an option string: KEY=VALUE,KEY=VALUE",
         [](OptionParser& p, const char*) { p.options_.image_opts = true; }},
        {'r', "read-only", "", image_group, "open read-only",
         [](OptionParser& p, const char*) { p.options_.open.flags.read_only = true; }},
        {'U', "force-share", "", image_group, "with -r: share with programs that write",
         [](OptionParser& p, const char*) { p.options_.open.force_share = true; }},
        {'s', "snapshot", "", image_group, "write to a temporary overlay; file does not change",
         [](OptionParser& p, const char*) { p.options_.open.snapshot = true; }},
        {'C', "copy-on-read", "", image_group, "with -s: copy what is read into the overlay",
         [](OptionParser& p, const char*) { p.options_.open.flags.copy_on_read = true; }},
        {'t', "cache", mode, image_group, "cache", [](OptionParser& p, const char* v) { p.set_cache(v); },
         mode_words<cache_mode_words>},
        {'n', "nocache", "", image_group, "short for -t none", [](OptionParser& p, const char*) { p.set_cache("none"); }},
        {'i', "aio", mode, image_group, "asynchronous I/O by",
         [](OptionParser& p, const char* v) { p.check(parse_aio_mode(v, p.options_.open.aio), "aio", v, mode_words<aio_mode_words>); },
         mode_words<aio_mode_words>},
        {'k', "native-aio", "", image_group, "short for -i native",
         [](OptionParser& p, const char*) { p.options_.open.aio = AioMode::native; }},
        {'d', "discard", mode, image_group, "pass discards on or not",
         [](OptionParser& p, const char* v) { p.check(parse_discard_mode(v, p.options_.open.flags), "discard", v, mode_words<discard_mode_words>); },
         mode_words<discard_mode_words>},
        {'m', "misalign", "", image_group, "use misaligned buffers",
         [](OptionParser& p, const char*) { p.options_.misalign = true; }},
        {'T', "trace", "SPEC", output_group, "[enable=]PATTERN,events=FILE,file=FILE; or help",
         [](OptionParser& p, const char* v) { p.set_trace(v); }},
        {0, "object", "SPEC", image_group, "create an object: TYPE,id=ID,KEY=VALUE...",
         [](OptionParser& p, const char* v) { p.add_object(v); }},
        {'h', "help", "", other_group, "show this text", [](OptionParser& p, const char*) { p.show_help(); }},
        {'V', "version", "", other_group, "show version and licence", [](OptionParser& p, const char*) { p.show_version(); }},
        // zoneio's own options follow: see is_one_of_ours().
        {0, "output", mode, output_group, "print results as", [](OptionParser& p, const char* v) { p.set_output(v); }, output_words},
        {0, "file", "FILE", commands_group, "run the commands in a file; may be repeated",
         [](OptionParser& p, const char* v) { p.options_.commands.push_back({v, true}); }},
        {0, "errexit", "", commands_group, "stop at the first command that fails",
         [](OptionParser& p, const char*) { p.options_.errexit = true; }},
        {0, "guard", "[=MODE]", image_group, "warn before writing to a block device in use, or refuse",
         [](OptionParser& p, const char* v) { p.set_guard(*v == '\0' ? "warn" : v); }, mode_words<guard_words>},
        {0, "explain", "", output_group, "print on stderr why a command failed",
         [](OptionParser& p, const char*) { p.options_.explain = true; }},
        {0, "playground", "", image_group, "open a small zoned device in memory, to try commands",
         [](OptionParser& p, const char*) { p.options_.file = playground; }},
        {0, "no-rc", "", commands_group, "run no start-up file and print no greeting",
         [](OptionParser& p, const char*) { p.options_.no_rc = true; }},
        {0, "deterministic", "", output_group, "replace times and rates, to compare outputs",
         [](OptionParser& p, const char*) { p.options_.deterministic = true; }},
    };

    static constexpr size_t known_to_qemu_io() {
        size_t count = 0;
        while (std::string_view(rows[count].name) != "output") {
            count++;
        }
        return count;
    }

    /// Input of getopt_long(3) for the first rows.
    template <size_t Count>
    static constexpr std::array<option, Count + 1> getopt_rows() {
        std::array<option, Count + 1> table{};
        for (size_t i = 0; i < Count; i++) {
            const std::string_view value = rows[i].value_name;
            const int takes = value.empty() ? no_argument : value.front() == '[' ? optional_argument : required_argument;
            table[i] = {rows[i].name, takes, nullptr, rows[i].letter};
        }
        return table;
    }

    static constexpr auto getopt_letters() {
        std::array<char, 2 * std::size(rows) + 1> letters{};
        size_t next = 0;
        for (const Row& row : rows) {
            if (row.letter != 0) {
                letters[next++] = row.letter;
                if (!row.value_name.empty()) {
                    letters[next++] = ':';
                }
            }
        }
        return letters;
    }
};

std::optional<int> OptionParser::parse(int argc, char** argv) {
    const std::span<char*> words(argv, static_cast<size_t>(argc));
    if (asks_for_json(words)) {
        errors_.use_json();
        // Now, because getopt reorders the words.
        errors_.begin_program(words);
    }
    // At a terminal, getopt's messages are printed here, with control characters escaped.
    const bool complains = opterr != 0 && isatty(STDERR_FILENO) != 0;
    opterr = complains ? 0 : opterr;
    static constexpr auto all_options = Table::getopt_rows<std::size(Table::rows)>();
    static constexpr auto options_of_qemu_io = Table::getopt_rows<Table::known_to_qemu_io()>();
    static constexpr auto letters = Table::getopt_letters();
    int c = 0;
    int index = -1;
    std::span<const option> table;
    const auto next = [&] {
        const bool is_ours = is_one_of_ours({argv + optind, static_cast<size_t>(argc - optind)});
        table = is_ours ? std::span<const option>(all_options) : std::span<const option>(options_of_qemu_io);
        return getopt_long(argc, argv, letters.data(), table.data(), &index);
    };
    while ((c = next()) != -1) {
        if (c == '?') {
            const auto complaint = [&] { return option_complaint(words, table, letters.data()); };
            if (complains) {
                print_error_line(argv[0], ": ", complaint());
            }
            const int status = refuse(complaint);
            if (const std::string name = meant_option(words, all_options); !name.empty()) {
                explain(fmt::format("Did you mean '--{}'?", name));
            }
            return status;
        }
        const Row& row = c == 0 ? Table::rows[index] : row_of(static_cast<char>(c));
        row.take(*this, optarg != nullptr ? optarg : "");
        index = -1;
        if (exit_status_) {
            return exit_status_;
        }
    }
    opterr = complains ? 1 : opterr;
    return take_operands({argv + optind, static_cast<size_t>(argc - optind)});
}

std::vector<ProcessOption> OptionParser::list() {
    std::vector<ProcessOption> list;
    for (const Row& row : Table::rows) {
        Words words = row.words != nullptr ? row.words() : Words();
        std::string text(row.text);
        if (row.value_name == mode) {
            text += fmt::format(": {}", fmt::join(words, ", "));
        }
        list.push_back({row.letter == 0 ? std::string() : std::string(1, row.letter), row.name, std::string(row.value_name),
                        std::move(text), std::string(row.group), std::move(words)});
    }
    return list;
}

const OptionParser::Row& OptionParser::row_of(char letter) {
    return *std::find_if(std::begin(Table::rows), std::end(Table::rows), [&](const Row& row) { return row.letter == letter; });
}

/// True if the next option is zoneio's own. Those cannot be abbreviated, so that qemu-io's abbreviations and error
/// messages stay the same.
bool OptionParser::is_one_of_ours(std::span<char* const> words) {
    for (const std::string_view word : words) {
        if (word.size() < 2 || word.front() != '-') {
            continue;
        }
        const std::string_view name = word.substr(0, word.find('='));
        return std::any_of(Table::rows + Table::known_to_qemu_io(), std::end(Table::rows),
                           [&](const Row& row) { return name.starts_with("--") && name.substr(2) == row.name; });
    }
    return false;
}

} // namespace

std::optional<int> parse_process_options(int argc, char** argv, const std::string& program, ProcessOptions& options) {
    const std::optional<int> status = OptionParser(program, options).parse(argc, argv);
    if (status == EXIT_SUCCESS && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        print_lost_output(program, errno);
        return EXIT_FAILURE;
    }
    return status;
}

std::vector<ProcessOption> process_options() {
    return OptionParser::list();
}

} // namespace zoneio
