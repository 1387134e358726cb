# What zoneio needs from Debian, and how to get it. Sourced by the other scripts.
# shellcheck shell=bash

build_packages=(cmake g++ libaio-dev libblkid-dev libfmt-dev libnbd-dev libreadline-dev liburing-dev ninja-build
                pkg-config systemtap-sdt-dev)
test_packages=(btrfs-progs e2fsprogs gnutls-bin groff-base libgtest-dev man-db nbdkit procps python3 python3-jsonschema
               python3-pexpect python3-pyte python3-pytest python3-pytest-xdist qemu-utils strace time util-linux valgrind zsh)
package_packages=(dpkg-dev fakeroot file lintian)
bench_packages=(binutils fio libbenchmark-dev)
clang_packages=(clang)
vm_packages=(busybox-static qemu-system-x86)

# need_packages PACKAGE...: installs what is missing as root; else prints the line that does, and ends.
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

# build_preset PRESET [TARGET...]: configures, and builds what the preset names or these targets. How far that is shows on
# stderr: ninja's own progress on a terminal, a line for each of its steps elsewhere. With nothing to do it is silent.
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
