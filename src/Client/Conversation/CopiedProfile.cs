using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary>Makes a profile that is a copy of another one a new device, asking for the password where it is not at
/// hand.</summary>
internal sealed class CopiedProfile(
    ChatClient client, IConsoleView view, Action<Task<Action>> later, string? passwordAtHand)
{
    public static string What =>
        "this profile is a copy (perhaps a restored backup), and the original has been used since";

    public static string WhatOpen => "a copy of this profile is open elsewhere";

    private bool _hasBegun;
    private bool _isOpenElsewhere;

    /// <summary>Tries once; what fails is tried again at the next start, for every session would ask again.</summary>
    public void Renew(ClientEvent.Copied copied)
    {
        _isOpenElsewhere |= copied.IsOpenElsewhere;
        if (_hasBegun)
            return;
        _hasBegun = true;
        view.Print(Transcript.Note(
            _isOpenElsewhere
                ? $"{WhatOpen} and has the session; if this one becomes a new device, it goes on and the copy is closed"
                : $"{What}; it has to become a new device; nothing is lost",
            Style.Warning));
        if (passwordAtHand is not null)
            LogIn(passwordAtHand);
        else
            Ask();
    }

    private void Ask()
    {
        if (!view.AskSecret($"password for {client.User} (empty: not now): ", LogIn))
            GiveUp();
    }

    private void LogIn(string password)
    {
        if (password.Length == 0)
            GiveUp();
        else
            later(LogInAsync(password));
    }

    private async Task<Action> LogInAsync(string password)
    {
        try
        {
            await client.BecomeNewDeviceAsync(password);
            return () => view.Print(Transcript.Note("this is a new device now", Style.Good));
        }
        catch (ChordChatException cause)
        {
            return () =>
            {
                if (cause.Code == "taken_over")
                    return; // The end of the session says so.
                view.Print(Transcript.Problem(cause));
                if (cause.Code == "wrong_password" && passwordAtHand is null)
                    Ask();
                else
                    GiveUp();
            };
        }
    }

    private void GiveUp()
    {
        if (!_isOpenElsewhere)
            view.Print(Transcript.Note(
                "until this becomes a new device, contacts see a mark beside your messages; to do it later, /quit and "
                + $"type '{client.CommandOf($"login {client.User}")}'",
                Style.Warning));
        client.StayOldDevice(); // If the copy has the session, this one ends and says so.
    }
}
