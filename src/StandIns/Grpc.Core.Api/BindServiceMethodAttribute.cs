using Grpc.Core.Utils;

namespace Grpc.Core;

/// <summary>On a generated service base class: where the method is that binds it to a server.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = true)]
public class BindServiceMethodAttribute(Type bindType, string bindMethodName) : Attribute
{
    public Type BindType { get; } = GrpcPreconditions.CheckNotNull(bindType, nameof(bindType));

    public string BindMethodName { get; } = GrpcPreconditions.CheckNotNull(bindMethodName, nameof(bindMethodName));
}
