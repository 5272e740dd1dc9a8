using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>What each node heard, did and believed, line by line, compared with a file that people read.</summary>
/// <remarks>CHORDCHAT_ACCEPT=1 writes the files anew; read the difference before it is committed.</remarks>
internal sealed class Transcript
{
    private readonly StringBuilder _text = new();
    private readonly SimulatedRing _ring;

    public Transcript(SimulatedRing ring)
    {
        _ring = ring;
        ring.OnStep = (node, input, effects) => Line(node, string.Create(CultureInfo.InvariantCulture,
            $"{Text(input)}{string.Concat(effects.Select(effect => $" -> {Text(effect)}"))}"));
        ring.OnChanged = node => _text.AppendLine(CultureInfo.InvariantCulture, $"            {State(node.Ring)}");
    }

    public void Say(string what) => _text.AppendLine(CultureInfo.InvariantCulture, $"== {what}");

    /// <summary>Compares with transcripts/<paramref name="name"/>.txt next to the test.</summary>
    public void MustBe(string name, [CallerFilePath] string here = "")
    {
        Say("in the end");
        foreach (var node in _ring.Running)
            _text.AppendLine(CultureInfo.InvariantCulture, $"{node.Ring.Self,-4}{State(node.Ring)}");
        var path = Path.Combine(Path.GetDirectoryName(here)!, "transcripts", name + ".txt");
        if (Environment.GetEnvironmentVariable("CHORDCHAT_ACCEPT") == "1")
            File.WriteAllText(path, _text.ToString());
        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), _text.ToString().ReplaceLineEndings("\n"));
    }

    private void Line(SimulatedNode node, string what) => _text.AppendLine(
        CultureInfo.InvariantCulture, $"{(long)_ring.World.Now.TotalMilliseconds,6} {node.Ring.Self,-4} {what}");

    private static string State(RingState state) => string.Create(CultureInfo.InvariantCulture,
        $"{state.Phase} predecessor {state.Predecessor?.ToString() ?? "none"} successors {List(state.Successors)}");

    private static string Text(RingInput input) => input switch
    {
        RingInput.Answered(_, { Member: true } told) =>
            $"hears predecessor {told.Predecessor} successors {List(told.Successors)}",
        RingInput.Answered => "hears: not a member",
        RingInput.Notified(var from) => $"is notified by {from}",
        RingInput.MembersKnown known => $"knows {List(known.Live)}",
        _ => input.GetType().Name,
    };

    private static string Text(RingEffect effect) => effect switch
    {
        RingEffect.AskRing(_, var to) => $"asks {to}",
        RingEffect.AskAlive(_, var to) => $"asks {to} for a sign of life",
        RingEffect.Notify(var to) => $"notifies {to}",
        RingEffect.Unreachable(var peer) => $"reports {peer}",
        RingEffect.PhaseChanged(var phase) => $"is {phase}",
        RingEffect.Reveal => "answers",
        _ => effect.GetType().Name,
    };

    private static string List(IEnumerable<Peer> peers) => $"[{string.Join(' ', peers)}]";
}
