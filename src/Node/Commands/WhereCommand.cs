using System.CommandLine;
using ChordChat.Wire;

namespace ChordChat.Node.Commands;

/// <summary>where NAME: which nodes keep a user's mailbox.</summary>
internal static class WhereCommand
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var (data, node) = NodeContact.Options();
        var name = new Argument<string>("NAME") { Description = "A user's name." };
        var command = new Command("where", "Print which nodes keep a user's mailbox, owner first, and which answer.")
        {
            name, data, node,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var contact = await NodeContact.OpenAsync(parsed.GetValue(data), parsed.GetValue(node), cancellation);
            var client = new Wire.Chat.ChatClient(contact.Channel);
            var place = new MailboxPlace();
            await contact.CallAsync(async () => place = await client.WhereAsync(
                new WhereRequest { User = parsed.GetRequiredValue(name) }, deadline: DateTime.UtcNow + AnswerMax,
                cancellationToken: cancellation));
            foreach (var line in Lines(place))
                Console.WriteLine(line);
        });
        return command;
    }

    public static IEnumerable<string> Lines(MailboxPlace place)
    {
        string[] head = ["node", "address", "keeps it as", "now"];
        var rows = place.Members.Take(NodeWords.ListMax).Select((m, i) => new[]
        {
            NodeWords.Name(m.Name), NodeWords.Text(m.Address), i == 0 ? "owner" : "backup",
            place.Answering.Contains(m.Name) ? "answers" : "does not answer",
        });
        return RingCommand.Table([head, .. rows])
            .Prepend($"mailbox of {NodeWords.Text(place.User)}: tile {NodeWords.Text(place.Tile)}, "
                + $"epoch {place.Epoch}");
    }
}
