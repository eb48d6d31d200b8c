using FluentValidation;
using FluentValidation.Results;

namespace Runtime.Host.Options;

/// <summary>Rules about settings. They run ahead of what RuleFor makes, which compiles an expression for each rule and so delays every start.</summary>
internal abstract class OptionRules : AbstractValidator<HostOptions>
{
    private readonly List<Func<HostOptions, IEnumerable<string>>> _faults = [];

    protected void Require(Func<HostOptions, bool> holds, Func<HostOptions, string> message) => RefuseEach(o => holds(o) ? [] : [message(o)]);

    /// <summary>Refuses the settings for the reason that <paramref name="fault"/> finds, if it finds one.</summary>
    protected void Refuse(Func<HostOptions, string?> fault) => RefuseEach(o => fault(o) is { } message ? [message] : []);

    /// <summary>Refuses the settings for every reason that <paramref name="faults"/> finds.</summary>
    protected void RefuseEach(Func<HostOptions, IEnumerable<string>> faults) => _faults.Add(faults);

    protected sealed override bool PreValidate(ValidationContext<HostOptions> context, ValidationResult result)
    {
        foreach (var fault in _faults.SelectMany(faults => faults(context.InstanceToValidate)))
        {
            result.Errors.Add(new ValidationFailure("", fault));
        }

        return true;
    }
}
