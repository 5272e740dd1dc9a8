# The same as ./chordchat, for Windows: needs the bash of Git for Windows.
$ErrorActionPreference = 'Stop'
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
$git = Get-Command git -ErrorAction SilentlyContinue
$bash = if ($git) { Join-Path (Split-Path -Parent (Split-Path -Parent $git.Source)) 'bin\bash.exe' }
if (-not ($bash -and (Test-Path $bash))) { $bash = (Get-Command bash -ErrorAction SilentlyContinue).Source }
if (-not $bash) { Write-Error 'chordchat: bash is missing: install Git for Windows (git-scm.com), then run this again'; exit 1 }
& $bash (Join-Path $here 'chordchat').Replace('\', '/') @args
exit $LASTEXITCODE
