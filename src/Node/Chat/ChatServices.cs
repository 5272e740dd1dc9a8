using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Accounts, sessions and messages.</summary>
internal static class ChatServices
{
    /// <summary>The chat of a real node, on what the other folders have put into the container.</summary>
    public static IServiceCollection AddChat(this IServiceCollection services, IConfiguration settings) => services
        .AddSingleton(made => ChatIdentity.Of(
            made.GetRequiredService<NodeIdentity>(), made.GetRequiredService<LocalNode>().Self))
        .AddSingleton<IMailboxCounts, MailboxCounts>()
        .AddSingleton<SessionShowing>()
        .AddSingleton<SessionShower>(made => made.GetRequiredService<SessionShowing>().Show)
        .AddSingleton<PeerChatAnswers>()
        .AddSingleton<IPeerChat, PeerChatLink>()
        .AddSingleton<CallHandler>()
        .AddSingleton<CallAnswerer>(made => made.GetRequiredService<CallHandler>().Handle)
        .AddSingleton<IPresentUsers>(made => made.GetRequiredService<SessionTable>())
        .AddChat(settings.GetSection("Chat").Get<ChatOptions>() ?? new());

    /// <summary>Needs in the container: <see cref="ChatIdentity"/>, <see cref="IPeerChat"/>,
    /// <see cref="IMailboxCounts"/>, TimeProvider, and the replication's IRegisters, IRegisterGlimpses and
    /// IMessageSets.</summary>
    public static IServiceCollection AddChat(this IServiceCollection services, ChatOptions options) => services
        .AddSingleton(options)
        .AddSingleton<ChatClock>()
        .AddSingleton<IValueRules, RegisterRules>()
        .AddSingleton<SessionTable>()
        .AddSingleton<PeerRequests>()
        .AddSingleton<ChatPeers>()
        .AddSingleton<Whereabouts>()
        .AddSingleton<LeasePlaces>()
        .AddSingleton<LiveDelivery>()
        .AddSingleton<Accounts>()
        .AddSingleton<AccountGlimpses>()
        .AddSingleton<KeyLogReader>()
        .AddSingleton<ClientProofs>()
        .AddSingleton<PasswordWork>()
        .AddSingleton<Tickets>()
        .AddSingleton<Passes>()
        .AddSingleton<Askers>()
        .AddSingleton<Guesses>()
        .AddSingleton<Invitations>()
        .AddSingleton<Registration>()
        .AddSingleton<RegistrationDoor>()
        .AddSingleton<NameDoor>()
        .AddSingleton<AccountDoor>()
        .AddSingleton<LoginDoor>()
        .AddSingleton<AccountReads>()
        .AddSingleton<HelloDoor>()
        .AddSingleton<UnknownNames>()
        .AddSingleton<Login>()
        .AddSingleton<KeyPublication>()
        .AddSingleton<SessionLines>()
        .AddSingleton<SessionTakeovers>()
        .AddSingleton<LeaseRenewals>()
        .AddSingleton<SessionNumbers>()
        .AddSingleton<KeptHellos>()
        .AddSingleton<ShownHelloJudge>()
        .AddSingleton<ShownSessions>()
        .AddSingleton<SessionOpening>()
        .AddSingleton<SessionClosing>()
        .AddSingleton<Circles>()
        .AddSingleton<CircleChanges>()
        .AddSingleton<PresenceDoor>()
        .AddSingleton<DeliveryOrder>()
        .AddSingleton<RecipientLookups>()
        .AddSingleton<SendPace>()
        .AddSingleton<EnvelopeSender>()
        .AddLoop<CopyWatch>()
        .AddSingleton<ChatDoor>()
        .AddSingleton<ChatService>()
        .AddLoop<SendRetries>()
        .AddLoop<SessionKeeper>();

    public static void MapChat(this WebApplication app) => app.MapGrpcService<ChatService>().OpenTo(Callers.Everybody);
}
