using ChordChat.Client.Scripting;

return await CommandLine.RunAsync(args);
