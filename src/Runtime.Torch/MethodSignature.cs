using System.Runtime.InteropServices;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>An argument as TorchScript declares it.</summary>
internal sealed record MethodArgument(string Name, string Type, NativeKind Kind, bool HasDefault)
{
    /// <summary>Whether a run needs no value for it.</summary>
    public bool IsOptional => HasDefault || Kind == NativeKind.OptionalTensor;

    public override string ToString() => $"{Name}: {Type}{(HasDefault ? " = ..." : "")}";
}

/// <summary>What a method takes and returns, as TorchScript declares it: types, but neither shapes nor datatypes.</summary>
internal sealed record MethodSignature(string Name, MethodArgument[] Arguments, string Returns)
{
    public static unsafe MethodSignature Of(NativeMethod method, string name)
    {
        var arguments = new MethodArgument[NativeMethods.GetArguments(method, out var native)];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = new MethodArgument(Text(native[i].Name), Text(native[i].Type), native[i].Kind, native[i].HasDefault != 0);
        }

        return new MethodSignature(name, arguments, Text(NativeMethods.GetReturns(method)));
    }

    /// <summary>As messages show it: <c>forward(x: Tensor, mask: Optional[Tensor] = ...) -> Tensor</c>.</summary>
    public override string ToString() => $"{Name}({string.Join(", ", (object[])Arguments)}) -> {Returns}";

    private static unsafe string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text)!;
}
