using ChordChat.Core.Ring;

namespace ChordChat.Node.Links;

/// <summary>The links that each node has here. Safe for threads.</summary>
/// <remarks>docs/operations.md, "Limits". An honest node has one, and another while it does not know yet that the first
/// is broken; so the newest is the one that matters.</remarks>
internal sealed class OpenLinks
{
    public const int PerNodeMax = 4;

    private readonly Lock _turn = new();
    private readonly Dictionary<NodeId, Queue<Place>> _places = [];

    /// <summary>Always has room: past the limit the node's oldest link ends.</summary>
    public Place Enter(NodeId node)
    {
        var place = new Place(this, node);
        Place? oldest = null;
        lock (_turn)
        {
            if (!_places.TryGetValue(node, out var places))
                _places[node] = places = [];
            if (places.Count == PerNodeMax)
                oldest = places.Dequeue();
            places.Enqueue(place);
        }

        oldest?.End();
        return place;
    }

    private void Leave(Place place)
    {
        lock (_turn)
        {
            if (!_places.TryGetValue(place.Node, out var places) || !places.Contains(place))
                return;
            Queue<Place> left = new(places.Where(other => other != place));
            if (left.Count > 0)
                _places[place.Node] = left;
            else
                _places.Remove(place.Node);
        }
    }

    public sealed class Place(OpenLinks links, NodeId node) : IDisposable
    {
        private readonly CancellationTokenSource _ended = new();

        public NodeId Node => node;

        /// <summary>A newer link took the place.</summary>
        public CancellationToken Ended => _ended.Token;

        public void Dispose() => links.Leave(this);

        internal void End() => _ended.Cancel();
    }
}
