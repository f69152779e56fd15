# A stack as others write it for Batch: what Terraform's provider makes, reads again without a difference, and destroys.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "endpoint" {
  type = string
}

# The provider waits 30 seconds by the clock at each of a queue's changes.
variable "queues" {
  type    = number
  default = 0
}

provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 2

  endpoints {
    batch          = var.endpoint
    cloudwatchlogs = var.endpoint
    ec2            = var.endpoint
    ecr            = var.endpoint
    iam            = var.endpoint
    s3             = var.endpoint
    sts            = var.endpoint
  }

  default_tags {
    tags = { Team = "data", Note = "made by Terraform" }
  }
}

data "aws_caller_identity" "this" {}

resource "aws_vpc" "jobs" {
  cidr_block           = "10.7.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "jobs" {
  count      = 2
  vpc_id     = aws_vpc.jobs.id
  cidr_block = "10.7.${count.index}.0/24"
}

resource "aws_internet_gateway" "jobs" {
  vpc_id = aws_vpc.jobs.id
}

resource "aws_route_table" "jobs" {
  vpc_id = aws_vpc.jobs.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.jobs.id
  }
}

resource "aws_route_table_association" "jobs" {
  count          = 2
  subnet_id      = aws_subnet.jobs[count.index].id
  route_table_id = aws_route_table.jobs.id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.jobs.id
  service_name    = "com.amazonaws.us-east-1.s3"
  route_table_ids = [aws_route_table.jobs.id]
}

resource "aws_security_group" "jobs" {
  name        = "jobs"
  description = "Jobs (all of them)"
  vpc_id      = aws_vpc.jobs.id

  ingress {
    description = "each other"
    protocol    = "tcp"
    from_port   = 0
    to_port     = 65535
    self        = true
  }

  ingress {
    protocol    = "50"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["10.7.0.0/16"]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_iam_role" "job" {
  name        = "job"
  description = "What a job may do"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# Without a version, as many write them: then the older one is meant.
resource "aws_iam_role_policy" "job" {
  name = "read"
  role = aws_iam_role.job.id
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.data.arn}/*" }]
  })
}

resource "aws_iam_role_policy_attachment" "job" {
  role       = aws_iam_role.job.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

# A role that another one may assume.
resource "aws_iam_role" "reader" {
  name = "reader"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.job.arn }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_policy" "more" {
  name = "more"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy_attachment" "more" {
  role       = aws_iam_role.job.name
  policy_arn = aws_iam_policy.more.arn
}

resource "aws_s3_bucket" "data" {
  bucket        = "terraform-${data.aws_caller_identity.this.account_id}"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.job.arn }
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.data.arn}/*"
    }]
  })
}

resource "aws_ecr_repository" "image" {
  name         = "terraform/image"
  force_delete = true
}

resource "aws_ecr_repository_policy" "image" {
  repository = aws_ecr_repository.image.name
  policy = jsonencode({
    Version = "2008-10-17"
    Statement = [{
      Sid       = "pull"
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.job.arn }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

resource "aws_cloudwatch_log_group" "jobs" {
  name              = "/batch/terraform"
  retention_in_days = 14
}

resource "aws_batch_compute_environment" "jobs" {
  compute_environment_name = "terraform"
  type                     = "MANAGED"

  compute_resources {
    type               = "FARGATE"
    max_vcpus          = 16
    subnets            = aws_subnet.jobs[*].id
    security_group_ids = [aws_security_group.jobs.id]
  }
}

resource "aws_batch_scheduling_policy" "fair" {
  name = "fair"

  fair_share_policy {
    share_decay_seconds = 3600

    share_distribution {
      share_identifier = "a*"
      weight_factor    = 0.5
    }
  }
}

resource "aws_batch_job_queue" "jobs" {
  count                 = var.queues
  name                  = "terraform"
  state                 = "ENABLED"
  priority              = 10
  scheduling_policy_arn = aws_batch_scheduling_policy.fair.arn

  compute_environment_order {
    order               = 1
    compute_environment = aws_batch_compute_environment.jobs.arn
  }
}

resource "aws_batch_job_definition" "job" {
  name                  = "terraform"
  type                  = "container"
  platform_capabilities = ["FARGATE"]
  propagate_tags        = true

  retry_strategy {
    attempts = 3
  }

  timeout {
    attempt_duration_seconds = 600
  }

  container_properties = jsonencode({
    image            = "${aws_ecr_repository.image.repository_url}:v1"
    command          = ["echo", "Ref::what"]
    executionRoleArn = aws_iam_role.job.arn
    jobRoleArn       = aws_iam_role.job.arn
    environment      = [{ name = "BUCKET", value = aws_s3_bucket.data.bucket }]
    resourceRequirements = [
      { type = "VCPU", value = "0.25" },
      { type = "MEMORY", value = "512" },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options   = { "awslogs-group" = aws_cloudwatch_log_group.jobs.name }
    }
  })

  parameters = { what = "hello" }
}
