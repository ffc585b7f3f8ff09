#!/bin/sh
# Installs what the tests need beside npm's packages, where it is missing and we may: a browser, a proxy with its module for
# publishing, a C compiler, PHP and a maker of certificates, from Debian.
# Nothing is skipped: without them the tests do not start.
set -eu

missing=''
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
ls /usr/lib*/nginx/modules/ngx_nchan_module.so >/dev/null 2>&1 || missing="$missing libnginx-mod-nchan"
command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v php >/dev/null 2>&1 || missing="$missing php-cli"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=''
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root='sudo -n'
else
  echo "The tests need$missing. As root: apt-get install --no-install-recommends$missing" >&2
  exit 1
fi
echo "installing$missing"
$as_root apt-get update -qq
# nginx must not start by itself: the tests start their own, on a free port.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
