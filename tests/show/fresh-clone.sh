#!/bin/sh
# ./dev run and ./dev test from fresh clones with nothing of ours built, each in a clone of its own.
# With TANDEM_COLD=1 the compiler's cache is a new one as well.
set -eu
root=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'cd /; [ ! -x "$work/run/dev" ] || (cd "$work/run" && ./dev run --stop); rm -rf "$work"' EXIT
[ -z "${TANDEM_COLD:-}" ] || export CCACHE_DIR="$work/ccache"
for verb in run test; do
  git clone -q "$root" "$work/$verb"
  begin=$(date +%s)
  (cd "$work/$verb" && ./dev "$verb" < /dev/null) || { echo "fresh-clone: ./dev $verb FELL SHORT"; exit 1; }
  eval "seconds_$verb=$(($(date +%s) - begin))"
done
echo "fresh-clone at $(git rev-parse --short HEAD): ./dev run $seconds_run s, ./dev test $seconds_test s"
