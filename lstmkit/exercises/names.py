"""Names that exercises withhold: the references and the library layers that do the same."""

RNN = (
    "lstmkit.rnn.equations.preactivation",
    "lstmkit.rnn.equations.activation",
    "lstmkit.rnn.equations.rnn_step",
    "lstmkit.rnn.equations.rnn_forward",
    "lstmkit.rnn.layer.RNN",
    "torch.nn.RNN",
    "torch.nn.RNNCell",
)
LSTM = (
    "lstmkit.lstm.equations.sigmoid",
    "lstmkit.lstm.equations.forget_gate",
    "lstmkit.lstm.equations.input_gate",
    "lstmkit.lstm.equations.output_gate",
    "lstmkit.lstm.equations.candidate",
    "lstmkit.lstm.equations.update_cell",
    "lstmkit.lstm.equations.lstm_step",
    "lstmkit.lstm.equations.lstm_forward",
    "lstmkit.lstm.stages.carousel_step",
    "lstmkit.lstm.stages.forget_cell_step",
    "lstmkit.lstm.layer.LSTM",
    "torch.nn.LSTM",
    "torch.nn.LSTMCell",
)
