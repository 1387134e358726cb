// SPDX-License-Identifier: GPL-3.0-or-later
//
// CLI11 holds the options: their names, arguments, meaning and help. In front of it stands getopt_long(3), fed
// from the same table: it knows the grammar that qemu-io's users expect (clusters, abbreviations, operands
// anywhere) and gives its messages. Options are handed to CLI11 one by one, in the order in which they stand on
// the command line, because each is checked when it is met.
#include "shell/options.h"

#include "block/user_object.h"
#include "shell/trace_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <getopt.h>

namespace zoneio {

namespace {

constexpr const char* version_text = "qemu-io version 10.0 (zoneio " ZONEIO_VERSION ")\n"
                                     "Copyright (c) 2026 The zoneio developers. Licence GPL-3.0-or-later\n";

constexpr const char* footer_text = "\n'help' at the prompt, or -c help, lists the commands.\n";

class OptionParser {
public:
    OptionParser(const std::string& program, ProcessOptions& options) : program_(program), options_(options) {
        define();
    }

    std::optional<int> parse(int argc, char** argv) {
        const std::vector<option> long_options = getopt_table(app_.get_options().size());
        const std::vector<option> known_to_qemu_io = getopt_table(first_of_ours_);
        const std::string short_options = getopt_letters(long_options);
        int c = 0;
        int index = -1;
        const auto next = [&] {
            const bool is_ours = is_one_of_ours({argv + optind, static_cast<size_t>(argc - optind)});
            const std::vector<option>& table = is_ours ? long_options : known_to_qemu_io;
            return getopt_long(argc, argv, short_options.c_str(), table.data(), &index);
        };
        while ((c = next()) != -1) {
            if (c == '?') {
                print_usage();
                return EXIT_FAILURE;
            }
            take(name_of(c, index, long_options));
            index = -1;
            if (exit_status_) {
                return exit_status_;
            }
        }
        return take_operands({argv + optind, static_cast<size_t>(argc - optind)});
    }

private:
    using Setter = std::function<void(const std::string&)>;

    void define() {
        app_.name(program_);
        app_.set_help_flag();
        app_.footer(footer_text);
        app_.get_formatter()->column_width(28);
        app_.add_option("file")->type_name("")->description("the image: a file name, PROTOCOL:NAME, or json:{...}");
        add("-c,--cmd", "COMMAND", "run a command; may be repeated", [this](const std::string& v) { options_.commands.push_back({v, false}); });
        add("-f,--format", "DRIVER", "how to read the image; default: see what it holds", [this](const std::string& v) { format_ = v; });
        add("--image-opts", "the file is given as an option string", [this] { options_.image_opts = true; });
        add("-r,--read-only", "open for reading only", [this] { options_.open.flags.read_only = true; });
        add("-U,--force-share", "share with programs that write to it (with -r)", [this] { options_.open.force_share = true; });
        add("-s,--snapshot", "write to a temporary overlay", [this] { options_.open.snapshot = true; });
        add("-C,--copy-on-read", "copy on read", [this] { options_.open.flags.copy_on_read = true; });
        add("-t,--cache", "MODE", "none, directsync, writeback, unsafe, writethrough (default)",
            [this](const std::string& v) { set_cache(v); });
        add("-n,--nocache", "the same as -t none", [this] { set_cache("none"); });
        add("-i,--aio", "MODE", "threads (default), native, io_uring",
            [this](const std::string& v) { check(parse_aio_mode(v, options_.open.aio), "aio", v); });
        add("-k,--native-aio", "the same as -i native", [this] { options_.open.aio = AioMode::native; });
        add("-d,--discard", "MODE", "unmap (default), ignore",
            [this](const std::string& v) { check(parse_discard_mode(v, options_.open.flags), "discard", v); });
        add("-m,--misalign", "give requests misaligned buffers", [this] { options_.misalign = true; });
        add("-T,--trace", "SPEC", "[enable=]PATTERN,events=FILE,file=FILE; 'help' lists events",
            [this](const std::string& v) { exit_status_ = configure_trace(program_, v, trace_file_); });
        add("--object", "SPEC", "an object for drivers: TYPE,id=ID,KEY=VALUE...", [this](const std::string& v) { add_object(v); });
        add("-h,--help", "this text", [this] {
            print_help(stdout);
            exit_status_ = EXIT_SUCCESS;
        });
        add("-V,--version", "the version", [this] {
            fputs(version_text, stdout);
            exit_status_ = EXIT_SUCCESS;
        });
        first_of_ours_ = app_.get_options().size();
        add("--output", "FORM", "text (default), json: a record a command", [this](const std::string& v) { set_output(v); });
        add("--file", "FILE", "run the commands in a file; may be repeated",
            [this](const std::string& v) { options_.commands.push_back({v, true}); });
        add("--errexit", "end after the first command that fails", [this] { options_.errexit = true; });
        add("--guard", "warn before writing to block devices in use", [this] { options_.guard = true; });
        add("--deterministic", "times and rates as XX, to compare what is printed", [this] { options_.deterministic = true; });
    }

    /// An option with an argument.
    void add(const std::string& names, const std::string& value_name, const std::string& text, const Setter& setter) {
        app_.add_option_function<std::string>(names, setter, text)->type_name(value_name)->trigger_on_parse();
    }

    /// An option without.
    void add(const std::string& names, const std::string& text, std::function<void()> setter) {
        app_.add_flag_callback(names, std::move(setter), text)->trigger_on_parse();
    }

    void set_cache(const std::string& word) {
        check(parse_cache_mode(word, options_.open.flags, options_.open.writethrough), "cache", word);
    }

    void set_output(const std::string& word) {
        check(word == "text" || word == "json", "output", word);
        options_.json = word == "json";
    }

    void check(bool valid, std::string_view kind, std::string_view word) {
        if (!valid) {
            fail(fmt::format("Invalid {} option: {}", kind, word));
        }
    }

    void add_object(const std::string& spec) {
        if (spec == "help" || spec == "?") {
            fputs(user_object_help().c_str(), stdout);
            exit_status_ = EXIT_SUCCESS;
            return;
        }
        const Status status = add_user_object(spec);
        if (!status.ok()) {
            fail(status.message());
        }
    }

    void fail(const std::string& text) {
        fmt::print(stderr, "{}: {}\n", program_, text);
        exit_status_ = EXIT_FAILURE;
    }

    void print_help(FILE* stream) { fputs(app_.help().c_str(), stream); }

    /// After a wrong option; not where records are expected.
    void print_usage() { print_help(options_.json ? stderr : stdout); }

    /// Is the next option one that qemu-io does not know? Those are not abbreviated, so that every abbreviation of
    /// qemu-io's own, and every complaint about one, is what it was.
    bool is_one_of_ours(std::span<char* const> words) const {
        for (const std::string_view word : words) {
            if (word.size() < 2 || word.front() != '-') {
                continue;
            }
            const std::string_view name = word.substr(0, word.find('='));
            const std::vector<const CLI::Option*> options = app_.get_options();
            return std::any_of(options.begin() + static_cast<ptrdiff_t>(first_of_ours_), options.end(),
                               [&](const CLI::Option* option) { return name == "--" + option->get_lnames().front(); });
        }
        return false;
    }

    /// The first `count` options, their long names; a short-only one does not exist.
    std::vector<option> getopt_table(size_t count) {
        std::vector<option> table;
        const std::vector<CLI::Option*> options = app_.get_options();
        for (const CLI::Option* option : std::span(options).first(count)) {
            if (option->get_positional()) {
                continue;
            }
            const std::string& letter = option->get_snames().empty() ? no_letter_ : option->get_snames().front();
            const int has_argument = option->get_expected_max() > 0 && option->get_type_size() > 0 ? required_argument : no_argument;
            table.push_back({option->get_lnames().front().c_str(), has_argument, nullptr,
                             letter.empty() ? 0 : static_cast<int>(letter.front())});
        }
        table.push_back({nullptr, 0, nullptr, 0});
        return table;
    }

    static std::string getopt_letters(const std::vector<option>& table) {
        std::string letters;
        for (const option& row : table) {
            if (row.name != nullptr && row.val != 0) {
                letters.push_back(static_cast<char>(row.val));
                letters += row.has_arg == required_argument ? ":" : "";
            }
        }
        return letters;
    }

    static std::string name_of(int letter, int index, const std::vector<option>& table) {
        if (letter == 0) {
            return table[static_cast<size_t>(index)].name;
        }
        for (const option& row : table) {
            if (row.val == letter) {
                return row.name;
            }
        }
        return {};
    }

    void take(const std::string& name) {
        std::vector<std::string> arguments;
        if (optarg != nullptr) {
            arguments.emplace_back(optarg);
        }
        arguments.push_back("--" + name);
        try {
            app_.parse(arguments);
        } catch (const CLI::ParseError& error) {
            fail(error.what());
        }
    }

    std::optional<int> take_operands(std::span<char*> operands) {
        if (operands.size() > 1) {
            print_usage();
            return EXIT_FAILURE;
        }
        if (format_ && options_.image_opts) {
            fail("--image-opts and -f are mutually exclusive");
            return exit_status_;
        }
        if (trace_file_ && !open_trace_file(program_, *trace_file_)) {
            return EXIT_FAILURE;
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
    const std::string no_letter_;
    ProcessOptions& options_;
    CLI::App app_;
    std::optional<std::string> format_;
    std::optional<std::string> trace_file_;
    std::optional<int> exit_status_;
    size_t first_of_ours_ = 0;
};

} // namespace

std::optional<int> parse_process_options(int argc, char** argv, const std::string& program, ProcessOptions& options) {
    return OptionParser(program, options).parse(argc, argv);
}

} // namespace zoneio
