# Functions of scripts/setup and scripts/setup-tests; sourced, from the project's root.

say() { printf '%s\n' "$*" >&2; }

apt_install() { # packages…
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update >&2
  case " $* " in
  *" postgresql "*)
    # The tests start clusters of their own; Debian's must not start one on port 5432.
    "${apt[@]}" install -y --no-install-recommends postgresql-common >&2
    sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' \
      /etc/postgresql-common/createcluster.conf
    ;;
  esac
  "${apt[@]}" install -y --no-install-recommends "$@" >&2
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14; do
    if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  say "Parley needs Python 3.11 or newer and found none on PATH."
  say "Install it (Debian 12: apt-get install python3 python3-venv) or name it: PYTHON=/path/to/python3.11 make setup"
  return 1
}

make_environment() {
  if [ -x .venv/bin/python ] && is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    return
  fi
  local python
  python=$(find_python)
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then # Debian ships it apart
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
      apt_install python3-venv
    else
      say "$python cannot make virtual environments. On Debian: sudo apt-get install python3-venv"
      return 1
    fi
  fi
  say "Making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
}

install_locked() { # runtime | test
  local lock="requirements/$1.txt" stamp=".venv/.parley-$1" wanted
  wanted=$(sha256sum "$lock" | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  say "Installing $lock (every file checked against its hash)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  # An older lock of the other kind may have been overwritten: it is installed again when asked for.
  rm -f .venv/.parley-*
  echo "$wanted" >"$stamp"
  [ "$1" = runtime ] || sha256sum requirements/runtime.txt | cut -d' ' -f1 >.venv/.parley-runtime
}
