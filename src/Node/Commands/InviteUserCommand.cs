using System.CommandLine;
using System.Globalization;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Commands;

/// <summary>cluster invite-user: codes with which people can register where that needs one.</summary>
internal static class InviteUserCommand
{
    private const int CountMax = 1_000;

    internal const string HowToGiveIt = "chordchat register NAME, or the console, asks for it (scripts: "
        + "CHORDCHAT_INVITATION or --invitation-file FILE)";

    public static Command Create()
    {
        var data = CommandLine.DataOption("The folder that 'cluster init' wrote, with cluster/ in it.");
        var count = new Option<int>("--count")
        {
            Description = "How many codes. Default 1.",
            DefaultValueFactory = _ => 1,
        };
        var expires = new Option<string>("--expires")
        {
            Description = "How long they are good for: a number and m, h or d. Default 7d, at most 366d.",
            DefaultValueFactory = _ => "7d",
        };
        var command = new Command(
            "invite-user",
            $"Print codes with which people register, one account each: {HowToGiveIt}. Needed where the nodes' setting "
            + "Chat:Registration is Invitation. No node has to run.")
        {
            data, count, expires,
        };
        command.SetAction(parsed =>
        {
            var wanted = parsed.GetValue(count);
            if (wanted is < 1 or > CountMax)
                throw new StartRefusedException(ExitCode.Usage, $"--count is {wanted}; it must be 1 to {CountMax}.");
            if (ParseLife(parsed.GetValue(expires) ?? "") is not { } life)
                throw new StartRefusedException(
                    ExitCode.Usage, $"--expires is '{parsed.GetValue(expires)}'; it must look like 7d, 12h or 30m, at "
                    + $"most {InvitationCode.LifeMax.TotalDays}d.");
            var until = DateTimeOffset.UtcNow + life;
            foreach (var code in Make(new(parsed.GetRequiredValue(data)), wanted, until))
                Console.WriteLine(code);
            Console.Error.WriteLine(
                $"Each code is good for one account until {until:u}: {HowToGiveIt}. Whoever has a code can use it.");
        });
        return command;
    }

    public static IEnumerable<InvitationCode> Make(ClusterFolder cluster, int count, DateTimeOffset expires)
    {
        cluster.ReadGenesis(); // Says what is wrong with a folder that is no cluster's.
        var key = ChatIdentity.TicketKeyOf(cluster.ReadSecret());
        return Enumerable.Range(0, count).Select(_ => InvitationCode.New(key, expires));
    }

    /// <returns>Null for what is no length of time, or too long.</returns>
    public static TimeSpan? ParseLife(string text)
    {
        if (text.Length < 2
            || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number is < 1 or > 1_000_000)
            return null;
        TimeSpan? life = text[^1] switch
        {
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' => TimeSpan.FromDays(number),
            _ => null,
        };
        return life <= InvitationCode.LifeMax ? life : null;
    }
}
