using System.CommandLine;
using ChordChat.Bench;

// Nodes are stopped and their folder is deleted also when somebody ends this program; that takes longer than the usual
// 2 s.
var patient = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) };
return await BenchCommand.Create().Parse(args, new() { ResponseFileTokenReplacer = null }).InvokeAsync(patient);
