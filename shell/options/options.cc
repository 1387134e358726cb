// SPDX-License-Identifier: GPL-3.0-or-later
//
// CLI11 holds the options: their names, arguments, meaning and help. In front of it stands getopt_long(3), fed
// from the same table: it knows the grammar that qemu-io's users expect (clusters, abbreviations, operands
// anywhere) and gives its messages. Options are handed to CLI11 one by one, in the order in which they stand on
// the command line, because each is checked when it is met.
#include "shell/options/options.h"

#include "block/node/driver.h"
#include "block/objects/user_object.h"
#include "block/trace/trace.h"
#include "commands/report/report.h"
#include "commands/text/print.h"
#include "commands/text/safe_text.h"
#include "shell/options/complaint.h"
#include "shell/options/trace.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <getopt.h>
#include <map>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr const char* version_text = "qemu-io version 11.1 (zoneio " ZONEIO_VERSION ")\n"
                                     "Copyright (c) 2026 The zoneio developers. Licence GPL-3.0-or-later\n";

constexpr const char* head_text = "Usage: {} [OPTION]... [-c COMMAND]... [file]\n"
                                  "A command shell for raw files, block devices and zoned block devices.\n"
                                  "\n"
                                  "  file                 the image: a file name, PROTOCOL:NAME, or json:{{...}}\n";
constexpr const char* foot_text = "\nOf several modes the first is the default. 'help' at the prompt, or -c help,\n"
                                  "lists the commands; zoneio(1) and zoneio-commands(7) have it all.\n";

constexpr const char* image_group = "Image";
constexpr const char* commands_group = "Commands";
constexpr const char* output_group = "Output";
constexpr const char* other_group = "Other";

constexpr std::string_view output_words[] = {"text", "json"};

std::vector<std::string_view> driver_names() {
    std::vector<std::string_view> names;
    for (const DriverInfo& info : driver_table()) {
        names.push_back(info.name);
    }
    return names;
}

class OptionParser {
public:
    OptionParser(const std::string& program, ProcessOptions& options) : program_(program), errors_(program), options_(options) {
        define();
    }

    std::optional<int> parse(int argc, char** argv) {
        const std::span<char*> words(argv, static_cast<size_t>(argc));
        if (asks_for_json(words)) {
            errors_.use_json();
            // Now, as getopt sorts them.
            errors_.begin_program(words);
        }
        // At a terminal the messages of getopt are printed here: they may hold what a terminal obeys.
        const bool complains = opterr != 0 && isatty(STDERR_FILENO) != 0;
        opterr = complains ? 0 : opterr;
        const std::vector<option> long_options = getopt_table(app_.get_options().size());
        const std::vector<option> known_to_qemu_io = getopt_table(first_of_ours_);
        const std::string short_options = getopt_letters(long_options);
        int c = 0;
        int index = -1;
        const std::vector<option>* table = nullptr;
        const auto next = [&] {
            const bool is_ours = is_one_of_ours({argv + optind, static_cast<size_t>(argc - optind)});
            table = is_ours ? &long_options : &known_to_qemu_io;
            return getopt_long(argc, argv, short_options.c_str(), table->data(), &index);
        };
        while ((c = next()) != -1) {
            if (c == '?') {
                const auto complaint = [&] { return option_complaint(words, *table, short_options); };
                if (complains) {
                    print_error_line(argv[0], ": ", complaint());
                }
                const int status = refuse(complaint);
                suggest(meant_option(words, long_options));
                return status;
            }
            take(name_of(c, index, long_options));
            index = -1;
            if (exit_status_) {
                return exit_status_;
            }
        }
        opterr = complains ? 1 : opterr;
        return take_operands({argv + optind, static_cast<size_t>(argc - optind)});
    }

    std::vector<ProcessOption> list() {
        std::vector<ProcessOption> rows;
        for (const CLI::Option* option : app_.get_options()) {
            const std::string& letter = option->get_snames().empty() ? no_letter_ : option->get_snames().front();
            rows.push_back({letter, option->get_lnames().front(), takes_argument(*option) ? option->get_type_name() : "",
                            option->get_description(), option->get_group(), words_[option]});
        }
        return rows;
    }

private:
    using Setter = std::function<void(const std::string&)>;

    void define() {
        app_.name(program_);
        app_.set_help_flag();
        add(commands_group, "-c,--cmd", "COMMAND", "run a command; may be repeated",
            [this](const std::string& v) { options_.commands.push_back({v, false}); });
        add(image_group, "-f,--format", "DRIVER", "how to read the image; default: see what it holds",
            [this](const std::string& v) { format_ = v; }, driver_names());
        add(image_group, "--image-opts", "the file is given as an option string", [this] { options_.image_opts = true; });
        add(image_group, "-r,--read-only", "open for reading only", [this] { options_.open.flags.read_only = true; });
        add(image_group, "-U,--force-share", "share with programs that write to it (with -r)", [this] { options_.open.force_share = true; });
        add(image_group, "-s,--snapshot", "write to a temporary overlay", [this] { options_.open.snapshot = true; });
        add(image_group, "-C,--copy-on-read", "copy on read", [this] { options_.open.flags.copy_on_read = true; });
        add_mode(image_group, "-t,--cache", "cache", offered_words<cache_mode_words>, [this](const std::string& v) { set_cache(v); });
        add(image_group, "-n,--nocache", "the same as -t none", [this] { set_cache("none"); });
        add_mode(image_group, "-i,--aio", "asynchronous I/O", offered_words<aio_mode_words>,
                 [this](const std::string& v) { check(parse_aio_mode(v, options_.open.aio), "aio", v); });
        add(image_group, "-k,--native-aio", "the same as -i native", [this] { options_.open.aio = AioMode::native; });
        add_mode(image_group, "-d,--discard", "discards", offered_words<discard_mode_words>,
                 [this](const std::string& v) { check(parse_discard_mode(v, options_.open.flags), "discard", v); });
        add(image_group, "-m,--misalign", "give requests misaligned buffers", [this] { options_.misalign = true; });
        add(output_group, "-T,--trace", "SPEC", "[enable=]PATTERN,events=FILE,file=FILE; 'help' lists them",
            [this](const std::string& v) { set_trace(v); });
        add(image_group, "--object", "SPEC", "an object for drivers: TYPE,id=ID,KEY=VALUE...", [this](const std::string& v) { add_object(v); });
        add(other_group, "-h,--help", "this text", [this] {
            print_help(stdout);
            exit_status_ = EXIT_SUCCESS;
        });
        add(other_group, "-V,--version", "version and licence", [this] {
            fputs(version_text, stdout);
            exit_status_ = EXIT_SUCCESS;
        });
        first_of_ours_ = app_.get_options().size();
        add_mode(output_group, "--output", "what to print", output_words, [this](const std::string& v) { set_output(v); });
        add(commands_group, "--file", "FILE", "run the commands in a file; may be repeated",
            [this](const std::string& v) { options_.commands.push_back({v, true}); });
        add(commands_group, "--errexit", "end after the first command that fails", [this] { options_.errexit = true; });
        add(image_group, "--guard", "warn before writing to block devices in use", [this] { options_.guard = true; });
        add(output_group, "--deterministic", "times and rates as XX, to compare what is printed",
            [this] { options_.deterministic = true; });
    }

    /// An option with an argument, which is one of `words` if there are any.
    void add(const char* group, const std::string& names, const std::string& value_name, const std::string& text,
             const Setter& setter, std::vector<std::string_view> words = {}) {
        const CLI::Option* const option =
            app_.add_option_function<std::string>(names, setter, text)->type_name(value_name)->trigger_on_parse()->group(group);
        words_[option] = std::move(words);
    }

    /// An option that takes one of a few modes.
    void add_mode(const char* group, const std::string& names, std::string_view text, std::span<const std::string_view> words,
                  const Setter& setter) {
        add(group, names, "MODE", fmt::format("{}: {}", text, fmt::join(words, ", ")), setter, {words.begin(), words.end()});
    }

    /// An option without.
    void add(const char* group, const std::string& names, const std::string& text, std::function<void()> setter) {
        app_.add_flag_callback(names, std::move(setter), text)->trigger_on_parse()->group(group);
    }

    void set_cache(const std::string& word) {
        check(parse_cache_mode(word, options_.open.flags, options_.open.writethrough), "cache", word);
    }

    void set_trace(const std::string& spec) {
        const Result<std::optional<int>> help = configure_trace(program_, spec, trace_file_);
        if (help.ok()) {
            exit_status_ = *help;
        } else {
            fail_after_name(help.status().message(), help.status().code());
        }
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

    /// `text` begins with what separates it from the program's name.
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
                    print_to(stream, "  {} {:<16} {}\n", letter, fmt::format("--{} {}", row.name, row.value_name), row.text);
                }
            }
        }
        fputs(foot_text, stream);
    }

    /// Ends with the usage, or with a record that says what is wrong.
    template <typename Complaint>
    int refuse(Complaint&& complaint) {
        errors_.is_json() ? fail(complaint()) : print_help(stdout);
        return EXIT_FAILURE;
    }

    /// Below the usage, which is long; at a terminal only, since qemu-io has none.
    void suggest(const std::string& name) const {
        if (!name.empty() && !errors_.is_json() && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
            fflush(stdout);
            print_to(stderr, "Did you mean '--{}'?\n", name);
        }
    }

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

    static bool takes_argument(const CLI::Option& option) {
        return option.get_expected_max() > 0 && option.get_type_size() > 0;
    }

    /// The first `count` options, their long names; a short-only one does not exist.
    std::vector<option> getopt_table(size_t count) {
        std::vector<option> table;
        const std::vector<CLI::Option*> options = app_.get_options();
        for (const CLI::Option* option : std::span(options).first(count)) {
            const std::string& letter = option->get_snames().empty() ? no_letter_ : option->get_snames().front();
            table.push_back({option->get_lnames().front().c_str(),
                             takes_argument(*option) ? required_argument : no_argument, nullptr,
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
            return refuse([&] { return fmt::format("one image at most: {}", fmt::join(operands, " ")); });
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
    Reporter errors_; ///< where records are wanted
    ProcessOptions& options_;
    CLI::App app_;
    std::map<const CLI::Option*, std::vector<std::string_view>> words_; ///< what an argument is one of
    std::optional<std::string> format_;
    std::optional<std::string> trace_file_;
    std::optional<int> exit_status_;
    size_t first_of_ours_ = 0;
};

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
    ProcessOptions unused;
    return OptionParser("zoneio", unused).list();
}

} // namespace zoneio
