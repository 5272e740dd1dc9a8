namespace ChordChat.Sdk.Messages;

/// <summary>Somebody to whom this user never wrote wants to chat.</summary>
/// <param name="Count">How many of their messages wait.</param>
/// <param name="First">The first of these.</param>
public sealed record ChatRequest(string From, int Count, ChatMessage First);
