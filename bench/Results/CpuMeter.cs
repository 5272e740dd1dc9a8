using ChordChat.Bench.Nodes;

namespace ChordChat.Bench.Results;

/// <summary>CPU seconds since it was made: those of the nodes and our own.</summary>
internal sealed class CpuMeter(LocalNodes nodes)
{
    private readonly TimeSpan _nodes = nodes.CpuTime;
    private readonly TimeSpan _own = Environment.CpuUsage.TotalTime;

    public (double Nodes, double Generator) Read() => (
        Math.Round((nodes.CpuTime - _nodes).TotalSeconds, 2),
        Math.Round((Environment.CpuUsage.TotalTime - _own).TotalSeconds, 2));
}
