using System.Text.Json;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>Reads one element of a request's <c>outputs</c>. Of equal keys the first counts; unknown keys are ignored.</summary>
internal ref struct OutputJson(InferContext context, InferCall call)
{
    private string? _name;
    private bool _isBinary;
    private ulong _classes;
    private RegionJson _region;

    /// <summary>Reads the object that the cursor is at, and adds the output to the request.</summary>
    public void Read(ref JsonCursor cursor)
    {
        if (cursor.Token != JsonTokenType.StartObject)
        {
            throw cursor.Wrong("name", "non-object as object");
        }

        while (cursor.ReadMember())
        {
            if (_name is null && cursor.Is("name"u8))
            {
                cursor.Read();
                _name = cursor.GetName(context.Model.Outputs);
            }
            else if (cursor.Is("parameters"u8))
            {
                ReadParameters(ref cursor);
            }
            else
            {
                cursor.Skip();
            }
        }

        Add(_name ?? throw JsonCursor.Missing("name"));
    }

    private void ReadParameters(ref JsonCursor cursor)
    {
        cursor.Read();
        if (cursor.Token != JsonTokenType.StartObject)
        {
            cursor.Skip();
            return;
        }

        while (cursor.ReadMember())
        {
            if (!TryReadParameter(ref cursor))
            {
                cursor.Skip();
            }
        }
    }

    private bool TryReadParameter(ref JsonCursor cursor)
    {
        if (cursor.Is("binary_data"u8))
        {
            cursor.Read();
            _isBinary = cursor.GetBool("binary_data");
        }
        else if (cursor.Is("classification"u8))
        {
            cursor.Read();
            _classes = cursor.TryGetUint64(out var classes) && classes <= uint.MaxValue
                ? classes
                : throw JsonCursor.Invalid($"Unable to set 'classification': attempt to access JSON non-unsigned-integer as unsigned-integer (at byte {cursor.Position})");
        }
        else
        {
            return _region.TryRead(ref cursor);
        }

        return true;
    }

    private readonly void Add(string name)
    {
        var delivery = new OutputDelivery(name) { IsBinary = _isBinary };
        (call.Deliveries ??= []).Add(delivery);
        call.Request.Outputs.Add(new RequestedOutput(name, (uint)_classes));
        if (!_region.IsNamed)
        {
            return;
        }

        if (_isBinary || _classes > 0)
        {
            throw JsonCursor.Invalid($"Output can't set both 'shared_memory_region' and '{(_isBinary ? "binary_data" : "classification")}' (output '{name}')");
        }

        delivery.Region = _region.Map(context.Regions);
    }
}
