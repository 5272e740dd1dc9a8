#!/usr/bin/env bash
# Builds everything (warnings are errors), checks the format and runs the suites, each with its time.
#   ./test.sh                 all of it
#   ./test.sh unit cluster    only these suites: unit simulation cluster endtoend browser nemesis
#   ./test.sh hunt --seeds N [--from S] [--minutes M]    simulated clusters under faults; the last line counts seeds
#   ./test.sh nemesis --minutes M [--seed S] [--nodes N] [--mix all|crash|network|host|clock|people|names|outage]    real nodes under faults; 2 minutes
#             [--split T]    tiles are cut meanwhile, until there are T for each node
#             [--guests G] [--people P] [--copies C] [--policy takeover|reject]    who is there and what holds
#   ./test.sh nemesis --numbers [--parts P,...] [--copies C]    what people notice of one fault after the other, as a table
# The last line counts what the test runners reported. A step that fails without a count is one failure more.
set -uo pipefail
CDPATH='' cd -- "$(dirname -- "$0")" >/dev/null || exit 1

# Nothing may outlive this script: no MSBuild nodes, no compiler server.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
# Every test starts programs that run for seconds: code that is measured for later costs them a seventh of their time.
export DOTNET_TieredPGO=0
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
export DOTNET_CLI_HOME="${DOTNET_CLI_HOME:-${HOME:-/tmp}}"
configuration="${CHORDCHAT_CONFIGURATION:-Release}"
results="$PWD/artifacts/tests"
suite_seconds_max="${CHORDCHAT_SUITE_SECONDS_MAX:-1500}"
passed=0 failed=0 skipped=0

say() { printf '== %s\n' "$*"; }

finish() {
    local line="$passed passed, $failed failed"
    ((skipped > 0)) && line+=", $skipped skipped"
    printf '%s\n' "$line"
    ((failed == 0))
    exit
}

fail() {
    failed=$((failed + 1))
    say "$1: FAILED, $2"
}

# step NAME COMMAND...: runs it and prints its time.
step() {
    local name=$1 begun=$SECONDS
    shift
    if "$@" </dev/null; then
        say "$name: $((SECONDS - begun)) s"
    else
        fail "$name" "after $((SECONDS - begun)) s: $*"
        return 1
    fi
}

# install PACKAGE...: from Debian, where we may.
install() {
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
    mkdir -p "$results"
    {
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
    } >"$results/apt.log" 2>&1 </dev/null
}

has_grpc_for_python() { /usr/bin/python3 -c 'import grpc, grpc_tools' 2>/dev/null; }
has_dumpcap() { command -v dumpcap >/dev/null; }
has_chromium() { [[ -x /usr/bin/chromium ]]; }

# All of them: "command -v ip nft tc" is content with one.
has_network_tools() { command -v ip >/dev/null && command -v nft >/dev/null && command -v tc >/dev/null; }

# prepare SUITE: gets what the suite needs; false if it cannot run without.
prepare() {
    case $1 in
        Cluster)
            has_grpc_for_python || install python3-grpcio python3-grpc-tools && has_grpc_for_python ||
                say "Cluster: python3-grpcio and python3-grpc-tools are missing; their test is skipped"
            ;;
        EndToEnd)
            has_dumpcap || install tshark && has_dumpcap ||
                say "EndToEnd: dumpcap (tshark) is missing; the search of captured traffic is skipped"
            ;;
        Browser)
            has_chromium || install chromium && has_chromium ||
                { say "Browser: SKIPPED, /usr/bin/chromium is missing"; return 1; }
            ;;
    esac
    return 0
}

# timeout has a process group of its own, so that it can end all of a suite. Ctrl-C does not reach that group: the suite
# runs in the background, and interrupted passes it on.
limited() {
    local code=0
    command -v timeout >/dev/null || { "$@"; return; }
    timeout -k 10 "$suite_seconds_max" "$@" &
    running=$!
    wait "$running" || code=$?
    running=''
    return "$code"
}

# interrupted CODE: ends the suite, and then the script.
interrupted() {
    trap '' INT TERM HUP QUIT
    if [[ -n $running ]]; then
        kill -TERM "$running" 2>/dev/null
        wait "$running"
    fi
    exit "$1"
}

# Whatever still runs beside the suites: this script ignores Ctrl-C for them.
end_helpers() {
    ((${#helpers[@]} == 0)) || kill "${helpers[@]}" 2>/dev/null
}

running='' helpers=()
trap end_helpers EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP
trap 'interrupted 131' QUIT

# One compiler for all builds of this run, which ends with it: each project would start its own otherwise.
begin_compiler() {
    local server
    server="$(dirname "$(readlink -f "$(command -v dotnet)")")/sdk/$(dotnet --version)/Roslyn/bincore/VBCSCompiler.dll"
    [[ -f $server ]] || return
    export UseSharedCompilation=true SharedCompilationId="chordchat-test-$$"
    dotnet exec "$server" "-pipename:$SharedCompilationId" >/dev/null 2>&1 </dev/null &
    helpers+=($!)
}

# count TRX: adds what the runner reported; prints "passed failed skipped" of this file.
# VSTest leaves notExecuted at 0, so what was skipped is what was counted but not executed.
counters() {
    awk 'BEGIN { RS = "<" } /^Counters / {
        for (i = 2; i <= NF; i++) { split($i, pair, "\""); sub("=", "", pair[1]); n[pair[1]] = pair[2] }
        print n["passed"] + 0, n["executed"] - n["passed"], n["total"] - n["executed"]
    }' "$1"
}

skipped_tests() {
    awk 'BEGIN { RS = "<" } /^UnitTestResult / {
        outcome = name = $0; sub(/.* outcome="/, "", outcome); sub(/.* testName="/, "", name)
        skipped = outcome ~ /^NotExecuted"/; sub(/".*/, "", name)
    } /^(StdOut|Message)>/ && skipped { sub(/^[A-Za-z]*>/, ""); print "   skipped " name ": " $0; skipped = 0 }' "$1"
}

run_suite() {
    local suite=$1 begun=$SECONDS code trx="$results/$1.trx" p=0 f=0 s=0
    if ! prepare "$suite"; then
        skipped=$((skipped + 1))
        return
    fi
    rm -f "$trx"
    limited dotnet test "tests/$suite" --no-build -c "$configuration" --results-directory "$results" \
        --logger "console;verbosity=minimal" --logger "trx;LogFileName=$suite.trx" </dev/null
    code=$?
    if [[ -f $trx ]]; then
        read -r p f s < <(counters "$trx")
        skipped_tests "$trx"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    say "$suite: $((SECONDS - begun)) s, $p passed, $f failed, $s skipped"
    if ((code == 124 || code == 137)); then
        fail "$suite" "still running after $suite_seconds_max s"
    elif ((code != 0 && f == 0)); then
        fail "$suite" "the runner ended with code $code"
    fi
}

can_split_networks() {
    has_network_tools && ip netns add ccprobe-$$ 2>/dev/null && ip netns del ccprobe-$$
}

# run_nemesis OPTIONS...: real nodes, each in a network of its own, under faults; one test more.
run_nemesis() {
    local begun=$SECONDS
    if [[ $(id -u) != 0 ]]; then
        skipped=$((skipped + 1))
        say "Nemesis: SKIPPED, only root may make the networks that this needs"
        return
    fi
    has_network_tools || install iproute2 nftables
    if ! can_split_networks; then
        skipped=$((skipped + 1))
        say "Nemesis: SKIPPED, ip, nft or tc is missing, or network namespaces are not allowed here"
        return
    fi
    step "publish the node" dotnet publish src/Node -c "$configuration" -o artifacts/nemesis/bin -nologo -v quiet || return
    step "publish the client" dotnet publish src/Client -c "$configuration" -o artifacts/nemesis/client -nologo -v quiet ||
        return
    if "tests/Nemesis/bin/$configuration/net10.0/chordchat-nemesis" \
        --program "$PWD/artifacts/nemesis/bin/chordchat-node" --client "$PWD/artifacts/nemesis/client/chordchat" "$@" \
        </dev/null; then
        passed=$((passed + 1))
        say "Nemesis: $((SECONDS - begun)) s"
    else
        fail Nemesis "after $((SECONDS - begun)) s"
    fi
}

usage() { sed -n '2,/^# The last line/{/^# The last line/d;s/^# \{0,1\}//p}' "${0##*/}"; }

for argument in "$@"; do
    case $argument in -h | --help | help) usage; exit 0 ;; esac
done

nemesis=() arguments=("$@")
for ((at = 0; at < ${#arguments[@]}; at++)); do
    if [[ ${arguments[at]} == --* ]]; then
        nemesis=("${arguments[@]:at}")
        arguments=("${arguments[@]:0:at}")
    fi
done
# hunt --seeds N [--from S] [--minutes M]: prints as it goes, then runs, simulated hours, faults and failures.
hunt() {
    local seeds=''
    export CHORDCHAT_HUNT_FROM=1
    while (($# > 0)); do
        case $1 in
            --seeds) seeds=${2:?} ;;
            --from) export CHORDCHAT_HUNT_FROM=${2:?} ;;
            --minutes) export CHORDCHAT_HUNT_MINUTES=${2:?} ;;
            *)
                echo "usage: ./test.sh hunt --seeds N [--from S] [--minutes M]" >&2
                exit 2
                ;;
        esac
        shift 2
    done
    # Minutes alone: as many seeds as fit.
    if [[ -z $seeds ]]; then seeds=1000; [[ -z ${CHORDCHAT_HUNT_MINUTES:-} ]] || seeds=1000000000; fi
    export CHORDCHAT_HUNT_SEEDS=$seeds
    begin_compiler
    step "build tests/Simulation" dotnet build tests/Simulation -c "$configuration" -v quiet -warnaserror || finish
    mkdir -p "$results"
    export CHORDCHAT_HUNT_LOG="$results/hunt.log"
    : >"$CHORDCHAT_HUNT_LOG"
    tail -f "$CHORDCHAT_HUNT_LOG" &
    local tail=$!
    helpers+=("$tail")
    suite_seconds_max=864000
    limited dotnet test tests/Simulation --no-build -c "$configuration" --filter "FullyQualifiedName~HuntTests" \
        >"$results/hunt.out" 2>&1 </dev/null
    local code=$?
    sleep 1 # For the last lines.
    kill "$tail"
    if [[ $(tail -n 1 "$CHORDCHAT_HUNT_LOG") =~ ^([0-9]+)\ seeds\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
        ((code == 0 || failed > 0)) || fail hunt "the runner ended with code $code; see $results/hunt.out"
    else
        fail hunt "it did not come to its end, code $code; see $results/hunt.out"
    fi
    finish
}

if [[ ${1:-} == hunt ]]; then
    shift
    hunt "$@"
fi

# Options are nemesis's, which knows its own: without that word they would begin a run of everything.
if ((${#nemesis[@]} > 0)) && [[ " ${arguments[*]} " != *" nemesis "* ]]; then
    echo "Unknown option ${nemesis[0]}; './test.sh --help' shows what there is." >&2
    exit 2
fi

suites=() built=()
for argument in "${arguments[@]}"; do
    case $(printf %s "$argument" | tr "[:upper:]" "[:lower:]") in
        unit) suites+=(Unit) built+=(tests/Unit) ;;
        simulation) suites+=(Simulation) built+=(tests/Simulation) ;;
        cluster) suites+=(Cluster) built+=(tests/Cluster) ;;
        endtoend) suites+=(EndToEnd) built=(ChordChat.sln) ;;
        browser) suites+=(Browser) built=(ChordChat.sln) ;;
        nemesis) suites+=(Nemesis) built+=(tests/Nemesis) ;;
        *)
            echo "There is no suite $argument; there are unit, simulation, cluster, endtoend, browser and nemesis." >&2
            exit 2
            ;;
    esac
done

if ! command -v dotnet >/dev/null; then
    fail build "dotnet is missing; install the .NET 10 SDK"
    finish
fi
begin_compiler
for target in "${built[@]:-ChordChat.sln}"; do
    step "restore $target" dotnet restore "$target" -v quiet || finish
    step "build $target" dotnet build "$target" --no-restore -c "$configuration" -v quiet -warnaserror || finish
done
format=''
# Beside the suites that follow, which mostly wait.
begin_format() {
    mkdir -p "$results"
    nice dotnet format ChordChat.sln --no-restore --verify-no-changes >"$results/format.log" 2>&1 </dev/null &
    format=$!
    helpers+=("$format")
}

((${#suites[@]} > 0)) || suites=(Unit Simulation format Cluster EndToEnd Browser Nemesis)
for suite in "${suites[@]}"; do
    case $suite in
        format) begin_format ;;
        Nemesis) run_nemesis "${nemesis[@]}" ;;
        *) run_suite "$suite" ;;
    esac
done
if [[ -n $format ]]; then
    if wait "$format"; then
        say "format: ok"
    else
        cat "$results/format.log"
        fail format "see above; 'dotnet format ChordChat.sln' mends it"
    fi
fi
finish
