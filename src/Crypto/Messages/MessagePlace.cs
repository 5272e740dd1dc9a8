namespace ChordChat.Crypto.Messages;

/// <summary>Where a message stands among those already seen from its sender.</summary>
public enum MessagePlace
{
    /// <summary>The first, or right behind one that was seen.</summary>
    InOrder,

    /// <summary>Seen before: acknowledge it and show nothing.</summary>
    Duplicate,

    /// <summary>The one before has not arrived (yet): show that something is missing until it does.</summary>
    Gap,

    /// <summary>Two messages claim one place: an alarm, somebody runs a copied device key.</summary>
    Fork,
}
