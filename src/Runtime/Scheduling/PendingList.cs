namespace Runtime.Scheduling;

/// <summary>A list of waiting requests in order of arrival, linked through the requests themselves so that any can leave at once.</summary>
internal sealed class PendingList
{
    public PendingRequest? First { get; private set; }

    private PendingRequest? _last;

    public int Count { get; private set; }

    public void Append(PendingRequest request)
    {
        request.List = this;
        request.Previous = _last;
        request.Next = null;
        if (_last is null)
        {
            First = request;
        }
        else
        {
            _last.Next = request;
        }

        _last = request;
        Count++;
    }

    public void Remove(PendingRequest request)
    {
        if (request.Previous is null)
        {
            First = request.Next;
        }
        else
        {
            request.Previous.Next = request.Next;
        }

        if (request.Next is null)
        {
            _last = request.Previous;
        }
        else
        {
            request.Next.Previous = request.Previous;
        }

        request.List = null;
        request.Next = request.Previous = null;
        Count--;
    }
}
