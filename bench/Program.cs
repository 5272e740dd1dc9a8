using ChordChat.Bench;

return await BenchCommand.Create().Parse(args).InvokeAsync();
