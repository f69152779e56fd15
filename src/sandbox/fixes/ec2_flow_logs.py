"""Flow logs as EC2 serves them, where moto differs."""

from moto.core.responses import ActionResult
from moto.ec2 import exceptions
from moto.ec2.models import validate_resource_ids
from moto.ec2.models.flow_logs import FlowLogs as FlowLog
from moto.ec2.models.flow_logs import FlowLogsBackend
from moto.ec2.responses.flow_logs import FlowLogs

# Of transit gateways and Cloud WAN no traffic is told apart, and records are of 60 seconds; everything else says which traffic.
# What is told as "these go together" is each parameter's text in
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
TRAFFIC = ("ACCEPT", "REJECT", "ALL")


def wrong(asked, to):
    apart = str(asked.get("ResourceType")).startswith(("TransitGateway", "CoreNetwork"))
    arn = str(asked.get("LogDestination") or "")
    if not apart and asked.get("TrafficType") not in TRAFFIC:
        return "MissingParameter", "The request must contain the parameter TrafficType"
    if apart and asked.get("TrafficType"):
        return "InvalidParameter", "TrafficType is not supported for this resource type."
    if asked.get("MaxAggregationInterval") not in ((None, 60) if apart else (None, 60, 600)):
        return "InvalidParameter", "Invalid Flow Log Max Aggregation Interval"
    if to != "cloud-watch-logs" and not arn:
        return "InvalidParameter", f"LogDestination can't be empty if LogDestinationType is {to}."
    if to == "s3" and asked.get("DeliverLogsPermissionArn"):
        return "InvalidParameter", "DeliverLogsPermissionArn is not applicable for s3 delivery."
    if to == "s3" and arn.split(":::")[-1].split("/")[1:2] == ["AWSLogs"]:
        return "InvalidParameter", "LogDestination must not use the folder AWSLogs."
    if to != "s3" and asked.get("DestinationOptions"):
        return "InvalidParameter", "DestinationOptions are only applicable for s3 delivery."
    if asked.get("LogGroupName") and arn:
        return "InvalidParameter", "Please only provide LogGroupName or only provide LogDestination."
    return None


def create_flow_logs(self):
    asked, backend = self.params, self.ec2_backend
    ids, to = self._get_param("ResourceIds", []), asked.get("LogDestinationType") or "cloud-watch-logs"
    validate_resource_ids([str(it) for it in ids])
    found = wrong(asked, to)
    if found:
        raise exceptions.EC2ClientError(*found)
    group, arn = asked.get("LogGroupName"), asked.get("LogDestination")
    # A log group is told by its name, however it was named: the example of DescribeFlowLogs.
    if to == "cloud-watch-logs" and arn:
        parts = str(arn).split(":")
        if len(parts) < 7 or parts[2] != "logs":
            raise exceptions.EC2ClientError("InvalidParameter", f"LogDestination: {arn} is not a log group.")
        group, arn = parts[6], None
    if group is not None and not group:
        raise exceptions.MissingParameterError("LogGroupName")
    tags = self._parse_tag_specification().get("vpc-flow-log", {})
    # moto takes a bucket's ARN without a folder.
    bare = str(arn).split("/")[0] if to == "s3" else arn
    if bare is not None and to == "s3" and ":s3:::" not in bare:
        raise exceptions.EC2ClientError("InvalidParameter", f"LogDestination: {arn} is not a bucket.")
    interval = self._get_int_param("MaxAggregationInterval")
    logs, errors = backend.create_flow_logs(
        asked.get("ResourceType"), ids, asked.get("TrafficType"), asked.get("DeliverLogsPermissionArn"), to, bare, group,
        asked.get("LogFormat"), interval,
    )  # fmt: skip
    for log in logs:
        log.log_destination = arn
        log.deliver_cross_account_role = asked.get("DeliverCrossAccountRole")
        log.tag_field_specifications = self._get_param("TagFieldSpecifications", [])
        usual = {"FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False}
        log.destination_options = {**usual, **(asked.get("DestinationOptions") or {})} if to == "s3" else None
        log.add_tags(tags)
    unsuccessful = [{"ResourceId": it[0], "Error": {"Code": it[1], "Message": it[2]}} for it in errors]
    return ActionResult({"FlowLogIds": [it.id for it in logs], "Unsuccessful": unsuccessful})


FlowLogs.create_flow_logs = create_flow_logs
FlowLog.deliver_cross_account_role = None
FlowLog.tag_field_specifications = ()
FlowLog.destination_options = None


# What is not there is told beside what was deleted, and nothing of it is an error of the whole.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteFlowLogs.html
def delete_flow_logs(self):
    backend, ids = self.ec2_backend, self._get_param("FlowLogIds", [])
    missing = [it for it in ids if it not in backend.flow_logs]
    FlowLogsBackend.delete_flow_logs(backend, [it for it in ids if it in backend.flow_logs])
    error = {"Code": "InvalidFlowLogId.NotFound", "Message": "The flow log does not exist."}
    return ActionResult({"Unsuccessful": [{"ResourceId": it, "Error": error} for it in missing]})


FlowLogs.delete_flow_logs = delete_flow_logs
