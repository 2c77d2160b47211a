#!/usr/bin/env bash
# Puts spice-deploy on the PATH of the steps that follow, for setup/action.yml and native/action.yml. It takes the
# version, which may be empty, and of the environment what the runner sets and GH_TOKEN.
#
# A release puts its checksums.txt beside this file, so that a pinned commit pins the binary. Any other version is
# checked against the checksums of its own release. Where there is neither, as on the main branch, the binary is
# built from the source around this file.
set -euo pipefail

version=${1-}
repository='spicedeploy/spice-deploy'
releases="https://github.com/$repository/releases/download"
here=$(dirname "${BASH_SOURCE[0]}")

fail() {
	printf '::error title=spice-deploy::%s\n' "$*"
	exit 1
}

need() { # PROGRAM
	command -v "$1" >/dev/null || fail "this runner has no $1, which the installation needs; install it in a step before"
}

case "$RUNNER_OS $RUNNER_ARCH" in
'Linux X64') platform='linux_amd64' ;;
'Linux ARM64') platform='linux_arm64' ;;
'macOS X64') platform='darwin_amd64' ;;
'macOS ARM64') platform='darwin_arm64' ;;
'Windows X64') platform='windows_amd64' ;;
'Windows ARM64') platform='windows_arm64' ;;
*) fail "there is no binary for $RUNNER_OS on $RUNNER_ARCH; with Go: go install github.com/$repository@latest" ;;
esac
binary='spice-deploy'
if [ "$RUNNER_OS" = 'Windows' ]; then
	binary='spice-deploy.exe'
fi

fetch() { # URL FILE
	curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 \
		--retry 5 --connect-timeout 20 --max-time 300 --output "$2" "$1" ||
		fail "cannot download $1; is there such a release, and may this runner reach github.com?"
}

# What macOS calls it differs. From standard input, since sha256sum marks names that have a backslash, as on Windows.
sha256() {
	if command -v sha256sum >/dev/null; then
		sha256sum
	else
		shasum -a 256
	fi <"$1" | cut -d ' ' -f 1
}

# gh asks github.com who built the archive. A token of another server is of no use there. Before 2.67 gh found nothing
# wrong where there was no attestation (CVE-2025-25204, https://github.com/cli/cli/issues/10418).
can_attest() {
	local major minor
	[ -n "${GH_TOKEN-}" ] && [ "${GITHUB_SERVER_URL-}" = 'https://github.com' ] && command -v gh >/dev/null || return 1
	read -r major minor < <(gh --version | sed -nE '1s/^gh version ([0-9]+)\.([0-9]+).*/\1 \2/p')
	[ "${major:-0}" -gt 2 ] || { [ "${major:-0}" -eq 2 ] && [ "${minor:-0}" -ge 67 ]; }
}

# Only a release of the main branch counts: the workflow of another branch can be anybody's who may write to one.
attest() { # FILE
	if ! can_attest; then
		echo 'the attestation was not checked: that takes gh 2.67 or newer, and a token of github.com'
	elif ! gh attestation verify "$1" --repo "$repository" --deny-self-hosted-runners \
		--cert-identity "https://github.com/$repository/.github/workflows/release.yml@refs/heads/main"; then
		# The commit of this action pins the archive already, and a service that is away must not stop deployments.
		[ "$pinned" = 'yes' ] || fail "$1 has no attestation of the release workflow of $repository, or it could not be looked up; it is not used"
		echo "::warning title=spice-deploy::the attestation of $1 could not be checked; it is used, since its SHA-256 is the one that this commit of the action names"
	fi
}

build_source() {
	command -v go >/dev/null ||
		fail 'this commit is no release, and building it needs Go; pin a release, or set up Go before'
	GOOS='' GOARCH='' go build -C "$here/.." -buildvcs=auto -trimpath -o "$directory/$binary" . ||
		fail 'the source around this action does not build, as go says above'
}

install_release() {
	local sums="$here/checksums.txt" pinned='yes'
	need curl
	need tar
	if [ -n "$version" ] && ! grep -qsF "  spice-deploy_${version}_" "$sums"; then
		pinned='no'
		sums="$directory/checksums.txt"
		fetch "$releases/v$version/checksums.txt" "$sums"
	fi

	local line want archive got wanted=${version//./\\.}
	line=$(grep -E "^[0-9a-f]{64}  spice-deploy_${wanted:-[0-9A-Za-z.-]+}_$platform\.tar\.gz$" "$sums") ||
		fail "the release has no checksum for $platform, so nothing was installed"
	read -r want archive <<<"$line"
	version=${archive#spice-deploy_}
	version=${version%"_$platform.tar.gz"}

	fetch "$releases/v$version/$archive" "$directory/$archive"
	got=$(sha256 "$directory/$archive")
	if [ "$got" != "$want" ]; then
		fail "$archive has the SHA-256 $got, expected $want; it is not used"
	fi
	cd "$directory" # tar takes a colon, as in D:\, for the name of a host
	attest "$archive"
	tar -xzf "$archive" "$binary"
}

if [ -n "$version" ] && ! [[ $version =~ ^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
	fail 'expected a version such as v1.2.3 in the input version'
fi
version=${version#v}
directory=$(mktemp -d "$RUNNER_TEMP/spice-deploy.XXXXXX")
if [ -n "$version" ] || [ -f "$here/checksums.txt" ]; then
	install_release
else
	build_source
fi
"$directory/$binary" version
printf '%s\n' "$directory" >>"$GITHUB_PATH"
