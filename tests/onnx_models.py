"""ONNX's operators as others compute them: onnxruntime, and ONNX's own reference in Python."""

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

INPUTS = {
    "RNN": ("X", "W", "R", "B", "sequence_lens", "initial_h"),
    "GRU": ("X", "W", "R", "B", "sequence_lens", "initial_h"),
    "LSTM": ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"),
}
OUTPUTS = {"RNN": ("Y", "Y_h"), "GRU": ("Y", "Y_h"), "LSTM": ("Y", "Y_h", "Y_c")}
OPSET = 22


def model(operator, inputs, attributes):
    """A model of one node; an input that is None has an empty name, as ONNX writes it."""
    given = {name: inputs[name] for name in INPUTS[operator] if inputs.get(name) is not None}
    names = [name if name in given else "" for name in INPUTS[operator]]
    described = [
        onnx.helper.make_tensor_value_info(
            name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in given.items()
    ]
    kind = onnx.helper.np_dtype_to_tensor_dtype(inputs["X"].dtype)
    made = [onnx.helper.make_tensor_value_info(name, kind, None) for name in OUTPUTS[operator]]
    node = onnx.helper.make_node(operator, names, OUTPUTS[operator], **attributes)
    graph = onnx.helper.make_graph([node], operator, described, made)
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10), given


def by_onnxruntime(operator, inputs, **attributes):
    """Outputs of onnxruntime's CPU kernels, which take float32 and layout 0."""
    one_node, given = model(operator, inputs, attributes)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        one_node.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, given)


def by_reference(operator, inputs, **attributes):
    """Outputs of ONNX's reference evaluator: float64 too, but one direction and no lengths."""
    one_node, given = model(operator, inputs, attributes)
    return [np.asarray(output) for output in ReferenceEvaluator(one_node).run(None, given)]
