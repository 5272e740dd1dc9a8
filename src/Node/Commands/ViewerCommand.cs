using System.CommandLine;
using ChordChat.Crypto;
using ChordChat.Node.Identity;
using ChordChat.Wire;

namespace ChordChat.Node.Commands;

/// <summary>cluster viewer: what a page needs to be told names.</summary>
internal static class ViewerCommand
{
    public static Command Create()
    {
        var data = CommandLine.DataOption("The folder that 'cluster init' wrote, with cluster/ in it.");
        var folder = new Option<string>("--out")
        {
            Description = "The folder to write viewer.crt and viewer.key to; the page is started with --viewer FOLDER.",
            Required = true,
        };
        var name = new Option<string>("--name")
        {
            Description = "A name for this certificate, for 'cluster revoke NAME --viewer'. Default viewer.",
            DefaultValueFactory = _ => CertificateName.Viewer,
        };
        var command = new Command(
            "viewer", "Make a certificate with which a page may see who is online and ask about people (presence, "
                + "mailbox, key log). It may change nothing.")
        {
            data, folder.Named(), name,
        };
        command.SetAction(parsed =>
        {
            new ClusterFolder(parsed.GetRequiredValue(data)).WriteViewer(
                parsed.GetRequiredValue(folder), DateTimeOffset.UtcNow, parsed.GetRequiredValue(name));
            Console.WriteLine(
                $"chordchat-visualizer --viewer {ShellWord.Of(parsed.GetRequiredValue(folder))}    # good for a year");
        });
        return command;
    }
}
