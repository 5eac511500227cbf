using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace OpenWop.Micro.Grpc;

/// <summary>What the code generator says about a service class.</summary>
/// <param name="Name">The full name of the service: <c>package.Service</c>.</param>
/// <param name="BaseType">The generated base that declares the methods.</param>
/// <param name="Bind">The generated method that names every method to a <see cref="ServiceBinderBase"/>.</param>
internal sealed record GeneratedService(string Name, Type BaseType, MethodInfo Bind)
{
    private const BindingFlags PublicStatic = BindingFlags.Public | BindingFlags.Static;

    /// <exception cref="InvalidOperationException">The class is not derived from a generated service base.</exception>
    public static GeneratedService Of(Type serviceType)
    {
        for (var type = serviceType; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute
                && attribute.BindType.GetMethod(attribute.BindMethodName, PublicStatic, [typeof(ServiceBinderBase), type]) is { } bind
                && attribute.BindType.GetProperty("Descriptor", PublicStatic)?.GetValue(null) is ServiceDescriptor descriptor)
                return new GeneratedService(descriptor.FullName, type, bind);
        }

        throw new InvalidOperationException($"'{serviceType}' is not derived from a generated gRPC service base.");
    }
}
