using Runtime.Tensors;

namespace Runtime.Torch;

/// <summary>Between the library's element types and ours; torch has no unsigned integers beyond 8 bits.</summary>
internal static class TorchTypes
{
    // By the library's numbers, which begin at 1.
    private static readonly DataType[] Types =
    [
        DataType.Bool, DataType.Uint8, DataType.Int8, DataType.Int16, DataType.Int32,
        DataType.Int64, DataType.Fp16, DataType.Bf16, DataType.Fp32, DataType.Fp64,
    ];

    /// <summary>The library's number; 0 for a type that is not a tensor's in torch.</summary>
    public static int ToNative(DataType type) => Array.IndexOf(Types, type) + 1;

    public static DataType FromNative(int type) => Types[type - 1];
}
