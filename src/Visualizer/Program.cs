using System.CommandLine;
using System.Net.Sockets;
using ChordChat.Visualizer.Finding;
using ChordChat.Visualizer.Hosting;

var port = new Option<int>("--port")
{
    Description = $"Port of the page; 0 takes any free one. Default {VisualizerOptions.DefaultPort}.",
    DefaultValueFactory = _ => VisualizerOptions.DefaultPort,
};
var nodes = new Option<string[]>("--node")
{
    Description = "host:port of a node to begin with; may be repeated. Without it: CHORDCHAT_NODES, the file that "
        + "CHORDCHAT_CLUSTER names, the network, then localhost:7401 to 7405.",
    DefaultValueFactory = _ => [],
};
var listen = new Option<string>("--listen")
{
    Description = "Address to listen at. Anything but localhost shows who is online to whoever can reach it; "
        + "containers need 0.0.0.0.",
    DefaultValueFactory = _ => "localhost",
};
var hostNames = new Option<string[]>("--host-name")
{
    Description = "A name or address, besides localhost, under which the page may be opened; may be repeated. "
        + "Requests for any other name are refused. Without it: CHORDCHAT_PAGE_HOSTS.",
    DefaultValueFactory = _ => [],
};
var viewer = new Option<string>("--viewer")
{
    Description = "The folder that 'chordchat-node cluster viewer' wrote: nodes name who is online only to its "
        + "certificate, else they tell numbers. Without it: CHORDCHAT_VIEWER.",
};
var command = new RootCommand("Shows the ring of a ChordChat cluster in a browser.")
{
    port, nodes, listen, hostNames, viewer,
};
command.SetAction(async (parsed, stopping) =>
{
    var given = parsed.GetRequiredValue(nodes);
    var named = parsed.GetRequiredValue(hostNames);
    var options = new VisualizerOptions
    {
        Port = parsed.GetRequiredValue(port),
        Listen = parsed.GetRequiredValue(listen),
        Nodes = given.Length > 0 ? given : [.. Addresses.In(Environment.GetEnvironmentVariable("CHORDCHAT_NODES"))],
        ClusterFile = Given("CHORDCHAT_CLUSTER"),
        HostNames = named.Length > 0 ? named : Given("CHORDCHAT_PAGE_HOSTS")?.Split(
            [',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
        Viewer = parsed.GetValue(viewer) ?? Given("CHORDCHAT_VIEWER"),
    };
    var problems = options.Problems().ToArray();
    foreach (var problem in problems)
        await Console.Error.WriteLineAsync(problem);
    if (problems.Length > 0)
        return 64;
    await using var app = VisualizerHost.Build(options);
    try
    {
        await app.StartAsync(stopping);
    }
    catch (Exception cause) when (cause is IOException or SocketException)
    {
        await Console.Error.WriteLineAsync(
            $"Cannot listen at {options.Listen}, port {options.Port} ({cause.Message}). Choose another port with "
            + "--port, or another address with --listen.");
        return 69;
    }

    Console.WriteLine($"The ring is at {VisualizerHost.UrlOf(app, options)}");
    await app.WaitForShutdownAsync(stopping);
    return 0;
});
// A word that begins with @ is a word, no file to read words from.
return await command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null }).InvokeAsync();

static string? Given(string variable) =>
    Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
