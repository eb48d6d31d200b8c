using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>The arguments of one run at a time, in native memory that is reused; tensors stay where they are, pinned while they are read.</summary>
internal sealed unsafe class CallFrame : IDisposable
{
    private readonly ModelConfig _config;
    private readonly ArgumentSlot[] _slots;
    private readonly Device _device;
    private readonly NativeArgument* _arguments;
    private readonly NativeTensor* _tensors;
    private readonly byte*[] _keys;
    private readonly List<MemoryHandle> _pins = [];
    private NativeBlock _dims;
    private NativeBlock _texts;
    private NativeTensor* _nextTensor;
    private long* _nextDims;
    private NativeText* _nextText;

    public CallFrame(ModelConfig config, ArgumentSlot[] slots, Device device)
    {
        (_config, _slots, _device) = (config, slots, device);
        _arguments = (NativeArgument*)NativeMemory.AllocZeroed((nuint)Math.Max(1, slots.Length), (nuint)sizeof(NativeArgument));
        _tensors = (NativeTensor*)NativeMemory.AllocZeroed((nuint)Math.Max(1, config.Inputs.Count), (nuint)sizeof(NativeTensor));
        _keys = new byte*[config.Inputs.Count];
        for (var i = 0; i < _keys.Length; i++)
        {
            _keys[i] = (byte*)Marshal.StringToCoTaskMemUTF8(config.Inputs[i].Name);
        }
    }

    public NativeArgument* Arguments => _arguments;

    public int Count => _slots.Length;

    /// <summary>Points the arguments at the inputs, which must stay until <see cref="Clear"/>.</summary>
    /// <exception cref="InferenceException">An input is missing, unknown, or not what its configuration and its shape say.</exception>
    public void Fill(TensorSet inputs)
    {
        Reserve(inputs);
        _nextTensor = _tensors;
        _nextDims = (long*)_dims.Address;
        _nextText = (NativeText*)_texts.Address;
        var found = 0;
        for (var i = 0; i < _slots.Length; i++)
        {
            found += Fill(ref _arguments[i], _slots[i], inputs);
        }

        if (found < inputs.Count)
        {
            RefuseUnknown(inputs);
        }
    }

    /// <summary>Lets go of the inputs.</summary>
    public void Clear()
    {
        foreach (var pin in _pins)
        {
            pin.Dispose();
        }

        _pins.Clear();
    }

    public void Dispose()
    {
        Clear();
        NativeMemory.Free(_arguments);
        NativeMemory.Free(_tensors);
        foreach (var key in _keys)
        {
            Marshal.FreeCoTaskMem((nint)key);
        }

        _dims.Dispose();
        _texts.Dispose();
    }

    private void Reserve(TensorSet inputs)
    {
        var (dims, texts) = (0L, 0L);
        foreach (var input in inputs.Tensors)
        {
            dims += input.Shape.Length;
            texts += input.Type == DataType.Bytes ? input.Data.Length / sizeof(int) : 0; // each has its length before it
        }

        _dims.Reserve(dims * sizeof(long));
        _texts.Reserve(texts * sizeof(NativeText));
    }

    /// <summary>Returns how many of its inputs there are.</summary>
    private int Fill(ref NativeArgument argument, ArgumentSlot slot, TensorSet inputs)
    {
        // A collection may turn out empty; a single value that is not there is none.
        argument = new NativeArgument { Kind = slot.Kind is NativeKind.TensorList or NativeKind.TensorDictionary ? slot.Kind : NativeKind.None, Tensors = _nextTensor };
        var found = 0;
        foreach (var position in slot.Inputs)
        {
            var configured = _config.Inputs[position];
            if (inputs.Find(configured.Name) is not { } input)
            {
                if (!configured.Optional)
                {
                    throw Invalid($"input '{configured.Name}' of model '{_config.Name}' was not given");
                }

                continue;
            }

            found++;
            Check(input, configured);
            argument.Kind = slot.Kind;
            if (argument.Kind == NativeKind.StringList)
            {
                FillStrings(ref argument, input);
            }
            else
            {
                Fill(ref *_nextTensor++, input, _keys[position]);
                argument.Count++;
            }
        }

        return found;
    }

    private void Fill(ref NativeTensor tensor, Tensor input, byte* key)
    {
        var rank = input.Shape.Length;
        input.Shape.CopyTo(new Span<long>(_nextDims, rank));
        tensor = new NativeTensor { Name = key, Bytes = input.Data.Length, Dims = _nextDims, Rank = rank, Type = TorchTypes.ToNative(input.Type), Device = -1 };
        _nextDims += rank;
        if (DeviceMemory.TryGet(input.Data, out var start, out _) is { } memory && memory.Device == _device)
        {
            tensor.Data = (void*)(memory.Address + start);
            tensor.Device = _device.Gpu!.Value;
            return;
        }

        tensor.Data = Pin(input.Data);
    }

    private void FillStrings(ref NativeArgument argument, Tensor input)
    {
        var at = (byte*)Pin(input.Data);
        long left = input.Data.Length;
        argument.Strings = _nextText;
        for (; argument.Count < input.ElementCount; argument.Count++)
        {
            left -= sizeof(int);
            var length = left < 0 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(new ReadOnlySpan<byte>(at, sizeof(int)));
            if (length < 0 || length > left)
            {
                throw Invalid($"inference input '{input.Name}' for model '{_config.Name}' does not hold {input.ElementCount} strings");
            }

            *_nextText++ = new NativeText { Data = at + sizeof(int), Bytes = length };
            at += sizeof(int) + length;
            left -= length;
        }
    }

    private void* Pin(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty)
        {
            return null;
        }

        var pin = data.Pin();
        _pins.Add(pin);
        return pin.Pointer;
    }

    private void Check(Tensor input, TensorConfig configured)
    {
        if (input.Type != configured.Type)
        {
            throw Invalid($"inference input '{input.Name}' for model '{_config.Name}' must be {configured.Type.Name()}, as configured, got {input.Type.Name()}");
        }

        var expected = Shapes.ByteSize(input.Type, input.Shape);
        if (expected < 0 || (input.Type != DataType.Bytes && expected != input.Data.Length))
        {
            throw Invalid($"inference input '{input.Name}' for model '{_config.Name}' of shape {Shapes.Text(input.Shape)} must have {expected} bytes, got {input.Data.Length}");
        }
    }

    private void RefuseUnknown(TensorSet inputs)
    {
        foreach (var input in inputs.Tensors)
        {
            if (_config.Inputs.All(configured => configured.Name != input.Name))
            {
                throw Invalid($"unexpected inference input '{input.Name}' for model '{_config.Name}'");
            }
        }
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    /// <summary>Native memory that grows to the most that was needed.</summary>
    private struct NativeBlock : IDisposable
    {
        private long _bytes;

        public void* Address { get; private set; }

        public void Reserve(long bytes)
        {
            if (bytes > _bytes)
            {
                Address = NativeMemory.Realloc(Address, (nuint)bytes);
                _bytes = bytes;
            }
        }

        public readonly void Dispose() => NativeMemory.Free(Address);
    }
}
