using System.Diagnostics.CodeAnalysis;
using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Expressions.Syntax;

namespace OpenWop.Micro.Protocol.Expressions;

/// <summary>
/// An expression over JSON values (docs/expressions.md), a subset of the Common Expression Language. Parsed once into an
/// immutable tree that any number of threads may evaluate. Evaluation has no side effects, sees nothing but its scope, never
/// throws, and stops within its budget whatever the expression and the data are.
/// </summary>
public sealed class Expression
{
    /// <summary>Longest expression in characters.</summary>
    public const int MaxLength = 16 * 1024;

    /// <summary>How deep brackets, calls and other nested parts may go.</summary>
    public const int MaxNesting = 64;

    private readonly SyntaxNode root;
    private readonly int variableCount;

    private Expression(SyntaxNode root, int variableCount)
    {
        this.root = root;
        this.variableCount = variableCount;
    }

    internal SyntaxNode Root => root;

    /// <summary>Parses a text; false with the position and the reason when it is not an expression.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Expression? expression, [NotNullWhen(false)] out ExpressionError? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parser = new Parser(text);
        var root = parser.Parse();
        error = parser.Error;
        expression = error is null ? new Expression(root!, parser.VariableCount) : null;
        return error is null;
    }

    /// <summary>
    /// Computes the value over the names of the scope. A value that comes from the scope unchanged is returned as it is: it
    /// lives as long as its document.
    /// </summary>
    public ExpressionResult Evaluate(ExpressionScope scope, ExpressionLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var budget = new Budget(limits ?? ExpressionLimits.Default);
        var value = new Evaluator(scope, budget, variableCount).Evaluate(root);
        return ResultWriter.ToResult(value, budget, root.Position);
    }

    /// <summary>The expression in canonical form; parses to the same tree.</summary>
    public override string ToString() => Printer.Print(root);
}
