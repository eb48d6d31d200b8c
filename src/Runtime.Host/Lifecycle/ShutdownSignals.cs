using System.Runtime.InteropServices;

namespace Runtime.Host.Lifecycle;

/// <summary>Turns the first SIGTERM or SIGINT into a task, and leaves the process at the second.</summary>
internal sealed class ShutdownSignals : IDisposable
{
    private readonly TaskCompletionSource<PosixSignal> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;

    public ShutdownSignals() =>
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle), PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle)];

    public Task<PosixSignal> First => _first.Task;

    public void Dispose() => Array.ForEach(_registrations, registration => registration.Dispose());

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (!_first.TrySetResult(context.Signal))
        {
            Environment.Exit(1);
        }
    }
}
