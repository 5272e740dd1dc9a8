namespace ChordChat.Sdk.Accounts;

/// <summary>What a person should see when a cluster is met.</summary>
/// <param name="Fingerprint">Of the cluster's authority; compare it with somebody who is in.</param>
/// <param name="FirstSight">Nobody has vouched for it: registering and logging in are refused until somebody agrees,
/// <see cref="Accounts.Agree"/>.</param>
/// <param name="Demo">A demo cluster: short passwords are accepted, nothing is safe.</param>
public sealed record ClusterGreeting(string Node, string Address, string Fingerprint, bool FirstSight, bool Demo);
