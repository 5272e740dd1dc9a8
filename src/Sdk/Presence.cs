namespace ChordChat.Sdk;

/// <summary>Whether somebody is online, as the cluster knows it.</summary>
/// <param name="Since">When they came online; null when offline or not known.</param>
/// <param name="Node">The node that serves them; empty when not known.</param>
public sealed record Presence(string User, bool Online, DateTimeOffset? Since, string Node);

/// <summary>Who is online.</summary>
/// <param name="ContactsOnly">The cluster tells only of people with whom this user has written in both
/// directions.</param>
public sealed record OnlinePeople(IReadOnlyList<Presence> People, bool ContactsOnly);
