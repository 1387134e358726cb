# The Debian packages that zoneio requires, and functions to install them. The other scripts source this file.
# shellcheck shell=bash

build_packages=(cmake g++ libaio-dev libblkid-dev libfmt-dev libnbd-dev libreadline-dev liburing-dev ninja-build
                pkg-config systemtap-sdt-dev)
test_packages=(btrfs-progs e2fsprogs gnutls-bin groff-base libgtest-dev man-db nbdkit procps python3 python3-jsonschema
               python3-pexpect python3-pyte python3-pytest python3-pytest-xdist qemu-utils strace time util-linux valgrind zsh)
package_packages=(dpkg-dev fakeroot file lintian)
bench_packages=(binutils fio libbenchmark-dev)
clang_packages=(clang)
vm_packages=(busybox-static qemu-system-x86)

# need_packages PACKAGE...: as root, installs missing packages; otherwise prints the command that installs them, and exits.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if [[ $(id -u) != 0 ]]; then
        echo "Some packages are missing. Please run:" >&2
        echo "  sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "Installing ${missing[*]}" >&2
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# build_preset PRESET [TARGET...]: configures, and builds the given targets (default: those of the preset). Progress goes
# to stderr: ninja's own on a terminal, otherwise a line for each step. Prints nothing if there is nothing to build.
build_preset() {
    local preset=$1 log build
    shift
    build=(cmake --build --preset "$preset" ${1:+--target "$@"})
    log=$(mktemp)
    echo "Configuring the preset $preset" >"$log"
    if ! cmake --preset "$preset" >>"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        exit 1
    fi
    rm -f "$log"
    [[ $("${build[@]}" -- -n 2>&1) != *"no work to do"* ]] || return 0
    echo "Building ${*:-everything}" >&2
    "${build[@]}" >&2 || exit 1
}
