namespace ChordChat.Client.Commands;

/// <summary>What a typed line asks for.</summary>
internal abstract record ConsoleCommand
{
    private ConsoleCommand() { }

    /// <summary>Text without a slash: said to the chat that is open.</summary>
    public sealed record Say(string Text) : ConsoleCommand;

    public sealed record Message(string User, string Text) : ConsoleCommand;

    public sealed record OpenChat(string User) : ConsoleCommand;

    public sealed record History(int Count) : ConsoleCommand;

    public sealed record Who : ConsoleCommand;

    public sealed record Status(string User) : ConsoleCommand;

    public sealed record Verify(string User, bool Confirmed) : ConsoleCommand;

    public sealed record Accept(string User) : ConsoleCommand;

    public sealed record Block(string User) : ConsoleCommand;

    public sealed record Unblock(string User) : ConsoleCommand;

    public sealed record Blocked : ConsoleCommand;

    public sealed record Where(string User) : ConsoleCommand;

    /// <param name="On">How it is to be from now on; null for who waits.</param>
    public sealed record Requests(bool? On = null) : ConsoleCommand;

    public sealed record Help : ConsoleCommand;

    /// <summary>What a replaced device left unsent is to go out.</summary>
    public sealed record Resend : ConsoleCommand;

    public sealed record LogOut : ConsoleCommand;

    public sealed record Quit : ConsoleCommand;

    public sealed record Nothing : ConsoleCommand;

    /// <summary>A line that asks for nothing we know; <see cref="Problem"/> says what to type instead.</summary>
    public sealed record Misunderstood(string Problem) : ConsoleCommand;
}
