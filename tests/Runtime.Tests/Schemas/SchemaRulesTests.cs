namespace Runtime.Tests.Schemas;

public class SchemaRulesTests
{
    [Theory]
    [InlineData("", "input_schema.py: expected INPUT_SCHEMA = {...}, found none")]
    [InlineData("INPUT_SCHEMA: dict", "input_schema.py: expected INPUT_SCHEMA = {...}, found none")]
    [InlineData("INPUT_SCHEMA = [1]", "input_schema.py:1:16: INPUT_SCHEMA: expected a dictionary, found a list")]
    [InlineData("INPUT_SCHEMA = {}", "input_schema.py:1:16: INPUT_SCHEMA: expected 1 to 1024 inputs, found 0")]
    [InlineData("INPUT_SCHEMA = {'': {'datatype': 'INT8', 'shape': [1], 'required': True}}", "1:17: expected an input's name, a string that is not empty, found the string ''")]
    [InlineData("INPUT_SCHEMA = {7: {'datatype': 'INT8', 'shape': [1], 'required': True}}", "1:17: expected an input's name, a string that is not empty, found the integer 7")]
    [InlineData("INPUT_SCHEMA = {'x': 'STRING'}", "1:22: input 'x': expected a dictionary with 'datatype', 'shape' and 'required', found the string 'STRING'")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'string', 'shape': [1], 'required': True}}", "1:35: input 'x': 'datatype': expected one of STRING, BOOL, INT8")]
    [InlineData("INPUT_SCHEMA = {'x': {'shape': [1], 'required': True}}", "1:22: input 'x': 'datatype': expected one of")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'required': True}}", "1:22: input 'x': 'shape': expected a list of 1 to 32 dimensions, found none")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [], 'required': True}}", "1:52: input 'x': 'shape': expected a list of 1 to 32 dimensions, found a list")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': 1, 'required': True}}", "1:52: input 'x': 'shape': expected a list of 1 to 32 dimensions, found the integer 1")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [2, 0], 'required': True}}", "1:56: input 'x': 'shape': expected dimensions of 1 or more, or -1 for a length that varies, found the integer 0")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [-2], 'required': True}}", "found the integer -2")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [1.5], 'required': True}}", "found the number 1.5")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [True], 'required': True}}", "found true")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [9223372036854775807, 2], 'required': True}}", "input 'x': 'shape' has more elements than can be counted")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [1]}}", "1:22: input 'x': 'required': expected True or False, found none")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [1], 'required': 'yes'}}", "1:69: input 'x': 'required': expected True or False, found the string 'yes'")]
    [InlineData("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [1], 'required': True},\n 'x': {'datatype': 'INT8', 'shape': [1], 'required': True}}", "2:2: input 'x' is already in line 1")]
    [InlineData("BATCH_SIZE = 0", "1:14: BATCH_SIZE: expected an integer of 1 or more, found the integer 0")]
    [InlineData("BATCH_SIZE = 99999999999", "1:14: BATCH_SIZE: expected an integer of 1 or more")]
    [InlineData("BATCH_SIZE = True", "1:14: BATCH_SIZE: expected an integer of 1 or more, found true")]
    [InlineData("BATCH_WINDOW = -1", "1:16: BATCH_WINDOW: expected milliseconds, an integer of 0 or more, found the integer -1")]
    [InlineData("BATCH_WINDOW = '5'", "1:16: BATCH_WINDOW: expected milliseconds, an integer of 0 or more, found the string '5'")]
    [InlineData("IS_STREAMING_OUTPUT = 1", "1:23: IS_STREAMING_OUTPUT: expected True or False, found the integer 1")]
    public void Read_BrokenRule_IsNamedWithPlace(string text, string expected) => Assert.Contains(expected, SchemaTexts.PythonError(text), StringComparison.Ordinal);

    [Fact]
    public void Read_SeveralBrokenRules_AreAllNamed()
    {
        var message = SchemaTexts.PythonError("INPUT_SCHEMA = {'x': {'datatype': 'INT9', 'shape': [0]}, 'y': 3}\nBATCH_SIZE = -4");

        Assert.Equal(5, message.Split("; ").Length);
        Assert.All(["INT9", "'shape'", "'required'", "input 'y'", "BATCH_SIZE"], part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("INPUT_SCHEMA = get_schema()", "1:16: expected a literal, found the name 'get_schema'; code is not executed")]
    [InlineData("INPUT_SCHEMA = dict(x=1)", "1:16: expected a literal, found the name 'dict'")]
    [InlineData("INPUT_SCHEMA = OTHER = {}", "1:16: expected a literal, found the name 'OTHER'")]
    [InlineData("X = INPUT_SCHEMA = {}", "1:5: code is not executed: INPUT_SCHEMA must be set in a statement of its own")]
    [InlineData("X = (BATCH_SIZE := 3)", "1:6: code is not executed: BATCH_SIZE must be set")]
    [InlineData("INPUT_SCHEMA = {} | X", "1:19: code is not executed")]
    [InlineData("INPUT_SCHEMA['x'] = {}", "1:13: code is not executed: expected '=' behind 'INPUT_SCHEMA', found '['")]
    [InlineData("INPUT_SCHEMA.update({})", "1:13: code is not executed")]
    [InlineData("INPUT_SCHEMA += 1", "1:14: code is not executed")]
    [InlineData("INPUT_SCHEMA == 1", "1:14: code is not executed")]
    [InlineData("BATCH_SIZE, X = 1, 2", "1:11: code is not executed")]
    [InlineData("X, BATCH_SIZE = 1, 2", "1:2: code is not executed")]
    [InlineData("from schema import INPUT_SCHEMA", "1:20: INPUT_SCHEMA cannot be imported")]
    [InlineData("import os\nos.system('true')", "2:3: code is not executed")]
    [InlineData("__import__('os').system('true')", "1:11: code is not executed")]
    [InlineData("if True:\n  INPUT_SCHEMA = {}", "1:1: code is not executed: expected an assignment such as INPUT_SCHEMA = {...}, found 'if'")]
    [InlineData("else: X = 1", "1:1: code is not executed")]
    [InlineData("def f():\n  pass", "1:1: code is not executed")]
    [InlineData("class X(BaseModel):\n  pass", "1:1: code is not executed")]
    [InlineData("@inferless.request\nclass X: pass", "1:1: code is not executed")]
    [InlineData("del INPUT_SCHEMA", "1:1: code is not executed")]
    [InlineData("exec('x')", "1:5: code is not executed")]
    [InlineData("print(1)", "1:6: code is not executed")]
    [InlineData("'doc'.x = 3", "1:6: code is not executed")]
    [InlineData("3", "1:1: code is not executed")]
    [InlineData(" X = 1", "1:2: unexpected indent before 'X'")]
    [InlineData("X = 1\n  Y = 2", "2:3: unexpected indent before 'Y'")]
    [InlineData("X =", "1:4: expected a value behind '='")]
    [InlineData("X: = 3", "1:4: expected an annotation behind ':'")]
    public void Read_Code_IsRefusedWithPlace(string text, string expected)
        => Assert.StartsWith($"input_schema.py:{expected}", SchemaTexts.PythonError(text), StringComparison.Ordinal);
}
